"""The tables of time to the first answer by shape of the network; charts read the same rows."""
import statistics

PREFIX = "shape "
OURS = "nix-seed, mount"
PULLED = "podman pull, podman run"


def by_shape(rows, prefix=PREFIX):
    """Shape -> way -> the rest of its row, in the order in which they were measured."""
    shapes = {}
    for name, values in rows.items():
        if name.startswith(prefix):
            shape, way = name[len(prefix):].split(": ", 1)
            shapes.setdefault(shape, {})[way] = values
    return shapes


def link_of(samples):
    """Medians of a link's calibrations."""
    return {key: statistics.median(sample.note[key] for sample in samples)
            for key in samples[0].note}


def link_words(shape, of_shape, samples):
    link = link_of(samples[f"{PREFIX}{shape}: link"])
    ours = of_shape[OURS]["wall"]
    peers = {way: values["wall"] for way, values in of_shape.items()
             if way not in ("link", "limit") and not way.startswith("nix-seed")}
    best = min(peers, key=peers.get)
    return (f"The link of {shape}, measured: {link['one'] / 1e6:.0f} MB/s on one connection, "
            f"{link['six'] / 1e6:.0f} on six, {link['round_trip'] * 1e3:.1f} ms for a round trip. "
            f"Against mount: {best} (the best peer) takes {peers[best] / ours:.2f} times as long, "
            f"podman {peers[PULLED] / ours:.1f} times.")


def table_of(rows, samples, table, mega):
    shapes = by_shape(rows)
    if not shapes:
        return []
    times, costs = [], []
    for way in next(iter(shapes.values())):
        if way == "link":
            continue
        name = "plain parallel download, 6 connections" if way == "limit" else way
        each = [ways[way] for ways in shapes.values()]
        times.append([name, mega(each[0]["bytes"])] + [
            f"{values['wall']:.2f} ({values['wall_min']:.2f}), "
            f"{values['wall'] / ways['limit']['wall']:.2f}x"
            for values, ways in zip(each, shapes.values())])
        costs.append([name] + [f"{values['cpu']:.1f}, {values['foreign']:.0%}" for values in each])
    text = ["", "Seconds from nothing to Nix's first answer: median (min), and against the download.", "",
            *table(["way", "MB fetched", *shapes], times), "", "CPU seconds, and the other load.", "",
            *table(["way", *shapes], costs), ""]
    for shape, of_shape in shapes.items():
        text += [link_words(shape, of_shape, samples), ""]
    return text


def reads_table(samples, table, mega):
    """What of the seed one build has read; the last run's, since they hardly differ."""
    lines = []
    for name, values in samples.items():
        if name.startswith("reads "):
            note = values[-1].note

            def share(key, whole, form=str):
                return f"{form(note[key])} of {form(note[whole])} ({note[key] / note[whole]:.0%})"

            lines.append([name[6:], share("read", "bytes", mega), share("files_read", "files"),
                          share("paths_read", "paths"), share("layers_read", "layers"),
                          share("layer_bytes_read", "layer_bytes", mega)])
    return ["", *table(["a build in the seed reads", "MB, by page", "files", "store paths", "layers",
                        "MB of those layers"], lines)] if lines else []
