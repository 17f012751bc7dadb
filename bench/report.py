"""From samples to a Markdown table and JSON."""
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
from dataclasses import asdict, dataclass

import change_report
import shape_report

LAYOUT = "nix-seed, into a layout"
REGISTRY = "nix-seed, into the registry"
ALONE = "nix-seed, into the registry, without the proof"
INCREMENTAL = (", nothing changed", ", every layer there", ", one leaf changed")
NOISY = 0.15  # of the machine's CPU time, taken by others


@dataclass
class Facts:
    machine: dict
    runs: int
    leaf: str
    paths: int
    nar_bytes: int
    tar_bytes: int
    changed_paths: int
    changed_bytes: int


def first_line(*command):
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "?"
    return ((result.stdout or result.stderr).strip().split("\n") or ["?"])[0]


def version(*command):
    found = re.search(r"\d+(\.\d+)+\S*", first_line(*command))
    return found[0].rstrip(",") if found else "?"


def machine(nix_seed):
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    system = re.search(r'PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text())
    return {"cpu": cpu[1] if cpu else platform.machine(), "cores": os.cpu_count(),
            "memory": memory, "kernel": platform.release(), "system": system[1] if system else "?",
            "versions": {"nix-seed": version(nix_seed, "--version"),
                         "nix": version("nix", "--version"), "tar": version("tar", "--version"),
                         "zstd": version("zstd", "--version"), "gzip": version("gzip", "--version"),
                         "pigz": version("pigz", "--version"),
                         "openssl": version("openssl", "version"),
                         "buildah": version("buildah", "--version"),
                         "skopeo": version("skopeo", "--version"),
                         "podman": version("podman", "--version"),
                         "squashfs-tools": version("mksquashfs", "-version"),
                         "curl": version("curl", "--version"),
                         "docker-registry": version("docker-registry", "--version")}}


def middle(samples, name):
    return statistics.median(getattr(sample, name) for sample in samples)


def summary(samples):
    names = ("wall", "cpu", "rss", "server_cpu", "foreign", "bytes")
    return {**{name: middle(samples, name) for name in names},
            "wall_min": min(s.wall for s in samples), "cpu_min": min(s.cpu for s in samples)}


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|---" + "|---:" * (len(header) - 1) + "|"]
    # A name may be a pipeline.
    return lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
                    for row in rows]


def mega(count):
    return f"{count / 1e6:.1f}" if count < 1e7 else f"{count / 1e6:.0f}"


def seconds(value):
    return "?" if value != value else f"{value:.2f}"


def load(values):
    return f"{values['foreign']:.0%}" + (" (!)" if values["foreign"] > NOISY else "")


def times(value, base):
    return f"{value / base:.1f}x" if base and base == base else "?"


def full_table(rows):
    lines = []
    for name, values in rows.items():
        if name.startswith(("limit: ", "delivery: ", "reads", shape_report.PREFIX,
                            change_report.PREFIX)) or name.endswith(INCREMENTAL):
            continue
        base = rows.get(REGISTRY if "registry" in name else LAYOUT, {})
        ratio = [times(values[key], base.get(key, 0)) for key in ("wall", "cpu")]
        lines.append([name, f"{seconds(values['wall'])} ({seconds(values['wall_min'])})",
                      f"{seconds(values['cpu'])} ({seconds(values['cpu_min'])})",
                      mega(values["rss"]), mega(values["bytes"]) if values["bytes"] else "-",
                      *ratio, load(values)])
    return lines and table(["packing and pushing", "s (min)", "CPU s (min)", "peak MB", "MB out",
                  "time against nix-seed", "CPU against nix-seed", "other load"], lines)


def limit_table(rows, facts):
    limits = {name[7:]: values for name, values in rows.items() if name.startswith("limit: ")}
    if not limits:
        return []
    lines = [[name, f"{seconds(values['wall'])} ({seconds(values['wall_min'])})",
              f"{seconds(values['cpu'])} ({seconds(values['cpu_min'])})",
              f"{facts.tar_bytes / 1e6 / values['wall']:.0f}", load(values)]
             for name, values in limits.items()]
    out = table(["this machine alone, on all cores", "s (min)", "CPU s (min)", "MB/s", "other load"],
                lines)
    slowest = max(limits, key=lambda name: limits[name]["wall"])
    # The bytes are hashed twice, as NAR and as tar: nobody can leave one out.
    needed = {key: limits["read"][key] + 2 * limits["sha256"][key] + limits["zstd -3"][key]
              for key in ("cpu", "cpu_min")}
    cores = facts.machine["cores"]
    out += ["", f"The limit is {slowest}, the slowest of the three: "
            f"{limits[slowest]['wall']:.2f} s (min {limits[slowest]['wall_min']:.2f})."
            f" Reading, hashing twice (NAR and layer) and compressing take {needed['cpu']:.2f} CPU s"
            f" (min {needed['cpu_min']:.2f}) together: {needed['cpu'] / cores:.2f} s on {cores} idle"
            " cores."]
    for name in (LAYOUT, REGISTRY, ALONE):
        if name in rows:
            row = rows[name]
            out.append(f"{name}: {row['wall'] / limits[slowest]['wall']:.2f} times the limit in time"
                       f" ({row['wall_min'] / limits[slowest]['wall_min']:.2f} of the fastest runs),"
                       f" {row['cpu'] / needed['cpu']:.2f} times its work in CPU.")
    return out


def incremental_table(rows, facts):
    lines = []
    for name, values in rows.items():
        if name.endswith(INCREMENTAL):
            share = "-"
            if name.endswith(INCREMENTAL[-1]) and facts.changed_bytes:
                share = f"{values['bytes'] / facts.changed_bytes:.2f}"
            lines.append([name, seconds(values["wall"]), seconds(values["cpu"]),
                          mega(values["bytes"]), share, load(values)])
    if not lines:
        return []
    return ["", f"The leaf is {facts.leaf}: {facts.changed_paths} paths of the seed change, "
            f"{mega(facts.changed_bytes)} MB as NARs. tar and buildah send everything again.", "",
            *table(["whole command, again", "s", "CPU s", "MB out", "MB out / MB changed",
                    "other load"], lines)]


def delivery_table(rows, facts):
    """From nothing to the first answer of Nix in the seed, against what no way can leave out."""
    rows = {name[10:]: values for name, values in rows.items() if name.startswith("delivery: ")}
    if not rows:
        return []
    ours = rows["nix-seed, mount"]
    lines = [[name, f"{seconds(values['wall'])} ({seconds(values['wall_min'])})",
              f"{seconds(values['cpu'])} ({seconds(values['cpu_min'])})", mega(values["rss"]),
              times(values["wall"], ours["wall"]), times(values["cpu"], ours["cpu"]), load(values)]
             for name, values in rows.items()]
    limits = [values for name, values in rows.items() if name.startswith("limit: ")]
    bytes_out = facts.tar_bytes / 1e6
    return ["", f"Delivery: {mega(ours['bytes'])} MB in the registry, {bytes_out:.0f} MB as tars; from an "
            "empty cache until Nix, inside the seed, has said that the flake lacks an attribute.", "",
            *table(["delivery", "s (min)", "CPU s (min)", "peak MB", "time against mount",
                    "CPU against mount", "other load"], lines), "",
            "Fetching, decoding and hashing the blobs take "
            f"{sum(values['wall_min'] for values in limits):.2f} s one after another, on all cores; the "
            "tars are hashed as well (above)."]


def step_table(samples):
    """Where the whole command's time goes, from nix-seed's own report."""
    names, lines = [], []
    for name, values in samples.items():
        timings = values[0].note.get("timings")
        if timings:
            names = names or [t["step"] for t in timings]
            each = [[next((t["seconds"] for t in s.note["timings"] if t["step"] == step), 0.0)
                     for s in values] for step in names]
            lines.append([name, *(f"{statistics.median(step):.2f}" for step in each)])
    return ["", *table(["nix-seed, step by step, in s", *names], lines)] if lines else []


def to_markdown(facts, samples):
    rows = {name: summary(values) for name, values in samples.items()}
    about = facts.machine
    tools = ", ".join(f"{name} {value}" for name, value in about["versions"].items())
    lines = [
        f"{about['cpu']}, {about['cores']} cores, {about['memory'] / 2**30:.0f} GiB; "
        f"{about['system']}, Linux {about['kernel']}; {tools}.", "",
        f"The closure: {facts.paths} paths, {mega(facts.nar_bytes)} MB as NARs, "
        f"{mega(facts.tar_bytes)} MB as a tar. Medians of {facts.runs} runs, page cache warm; "
        "'other load' is the share of the CPUs that was busy with something else, (!) where time "
        "says little and CPU more.", "",
        *full_table(rows), "", *limit_table(rows, facts), *incremental_table(rows, facts),
        *step_table(samples), *delivery_table(rows, facts),
        *shape_report.table_of(rows, samples, table, mega),
        *shape_report.reads_table(samples, table, mega),
        *change_report.table_of(rows, samples, table)]
    return "\n".join(lines)


def to_json(facts, samples):
    rows = {name: {"median": summary(values), "samples": [asdict(s) for s in values]}
            for name, values in samples.items()}
    return json.dumps({"facts": asdict(facts), "rows": rows}, indent=1, allow_nan=True) + "\n"
