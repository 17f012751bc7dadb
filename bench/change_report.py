"""The table of what one changed input costs; charts read the same rows."""
import statistics

from shape_report import by_shape

PREFIX = "change "
LEAST = "least"


def pulled_of(samples):
    values = [sample.note["pulled"] for sample in samples if "pulled" in sample.note]
    return statistics.median(values) if values else 0


def against(count, least):
    """MB, and times the least."""
    return [f"{count / 1e6:.2f}", f"{count / least:.2f}x"] if count else ["-", "-"]


def words_of(name, sample):
    note = sample.note
    return (f"{name}: {note['package']}, with which {note['paths']} paths of {note['of']} change, "
            f"{note['narBytes'] / 1e6:.1f} MB as NARs; the least is {sample.bytes / 1e6:.2f} MB.")


def table_of(rows, samples, table):
    lines, words = [], []
    for change, ways in by_shape(rows, PREFIX).items():
        least = ways[LEAST]["bytes"]
        words.append(words_of(change, samples[f"{PREFIX}{change}: {LEAST}"][0]))
        for way, values in ways.items():
            if way == LEAST:
                continue
            job = [f"{values['wall']:.2f}", f"{values['cpu']:.2f}", f"{values['foreign']:.0%}"]
            pulled = pulled_of(samples[f"{PREFIX}{change}: {way}"])
            lines.append([change, way, *against(values["bytes"], least), *against(pulled, least),
                          *(job if values["wall"] else ["-"] * 3)])
    if not lines:
        return []
    return ["", "One input changes; MB on the way, and against the least: the changed paths, each "
            "compressed alone (zstd -3).", "", *words, "",
            *table(["change", "way", "MB sent", "against the least", "MB pulled",
                    "against the least", "job, s", "job, CPU s", "other load"], lines)]
