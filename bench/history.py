#!/usr/bin/env python3
"""Histories of real dependency graphs through the layer planner; started by `history`."""
import argparse
import json
import random
import re
import statistics
import subprocess
import sys

sys.dont_write_bytecode = True
import report  # noqa: E402
from debian_graph import Archive, dependents, point_release  # noqa: E402

TOOLCHAIN = """build-essential cmake ninja-build git python3-dev python3-numpy python3-scipy
  libboost-all-dev libssl-dev libcurl4-openssl-dev clang pkgconf libgit2-dev nodejs
  protobuf-compiler libgrpc++-dev""".split()
DESKTOP = TOOLCHAIN + """qtbase5-dev qttools5-dev texlive-latex-extra openjdk-17-jdk-headless rustc
  cargo maven postgresql golang""".split()
GRAPHS = {"toolchain": TOOLCHAIN, "larger": DESKTOP}
# dependents, itself among them
LEAF, MID = 5, 60
AIMS = {"leaf": 1.15, "mid": 1.3, "random five": 1.3}
COLD = 0.10
LAYERS = 100


def histories(graph, kind, steps, seed):
    """The packages whose own recipe changes at each step."""
    # Not hash(): it differs from run to run.
    chance = random.Random(f"{kind} {seed}")
    count = dependents(graph)
    names = sorted(graph)
    leaf = [name for name in names if count[name] <= LEAF]
    mid = [name for name in names if LEAF < count[name] <= MID]
    base = [name for name in names if count[name] > len(names) / 3]
    for step in range(steps):
        if kind == "leaf":
            yield [chance.choice(leaf)]
        elif kind == "mid":
            yield [chance.choice(mid)]
        elif kind == "base":
            yield [chance.choice(base)]
        elif kind == "random five":
            yield chance.sample(names, 5)
        else:  # like an update of nixpkgs: some leaves, a library, and now and then a base
            yield chance.sample(leaf, 3) + [chance.choice(mid)] + (
                [chance.choice(base)] if step % 10 == 9 else [])


def state_lines(label, graph, recipes):
    yield f"state {label}"
    for name, node in graph.items():
        package = node.package
        version = re.sub(r"[^0-9A-Za-z.+_-]", "-", package.version.split(":", 1)[-1])
        # A package without files of its own still is a path.
        yield (f"path {name} {name}-{version} {recipes.get(name, 0)} {max(package.installed, 1024)} "
               f"{package.size} " + " ".join(node.needs))


def invented(graph, kind, steps, seed):
    recipes = {}
    yield f"history {kind.replace(' ', '_')}"
    yield from state_lines("first", graph, recipes)
    for number, changed in enumerate(histories(graph, kind, steps, seed)):
        for name in changed:
            recipes[name] = recipes.get(name, 0) + 1
        yield from state_lines(str(number + 1), graph, recipes)


def real(archive, roots):
    """What the distribution has published for these packages, one source after the other."""
    limits, updates = archive.updates(archive.graph(roots))
    yield "history real_updates"
    yield from state_lines("first", archive.graph(roots, limits), {})
    for source, version in updates:
        limits[source] = version
        yield from state_lines(source, archive.graph(roots, limits), {})


def plan(program, lines):
    result = subprocess.run([program], input="\n".join(lines) + "\n", text=True, check=False,
                            capture_output=True)
    if result.returncode != 0:
        sys.exit(f"history: {program} failed: {result.stderr}")
    return [json.loads(line) for line in result.stdout.splitlines()]


def judge(history):
    """What counts of one history; bytes as they are sent."""
    first, *steps = history["steps"]
    total = {key: sum(step[key]["wire"] for step in steps) for key in ("sent", "least")}
    return {
        "steps": len(steps), "paths": first["paths"],
        "closure": statistics.mean(step["closure"]["wire"] for step in steps),
        "least": total["least"] / len(steps), "sent": total["sent"] / len(steps),
        "amplification": total["sent"] / total["least"],
        "coldGrowth": max(step["pull"]["wire"] / step["closure"]["wire"] - 1 for step in steps),
        "meanColdGrowth": statistics.mean(
            step["pull"]["wire"] / step["closure"]["wire"] - 1 for step in steps),
        "layers": max(step["layers"] for step in history["steps"]),
        "freshLayers": statistics.mean(step["freshLayers"] for step in steps)}


def worst(judged):
    """Means of several histories of a kind, and the worst of what has an aim."""
    row = {key: statistics.mean(one[key] for one in judged) for key in judged[0]}
    row["histories"] = len(judged)
    for key in ("amplification", "coldGrowth", "layers"):
        row[key + "Worst"] = max(one[key] for one in judged)
    return row


def run(options, archive):
    rows, points = [], []
    for name, roots in GRAPHS.items():
        graph = archive.graph(roots)
        for kind in ("leaf", "mid", "base", "random five", "like nixpkgs", "real updates"):
            if kind == "real updates":
                done = plan(options.program, real(archive, roots))
            else:
                done = [one for seed in range(options.histories) for one in plan(
                    options.program, invented(graph, kind, options.steps, seed))]
            rows.append({"graph": name, "kind": kind, **worst([judge(one) for one in done])})
            sent = least = 0
            for number, step in enumerate(done[0]["steps"][1:]):
                sent += step["sent"]["wire"]
                least += step["least"]["wire"]
                points += [{"chart": f"history, {name}: {kind}", "series": series, "x": number + 1,
                            "y": value / 1e6, "xUnit": "step", "yUnit": "MB sent so far"}
                           for series, value in (("nix-seed", sent), ("changed paths", least))]
            print(f"{name}, {kind}: {rows[-1]['amplification']:.3f}", file=sys.stderr)
    return rows, points


def mark(value, aim, text):
    return text + (" (!)" if aim is not None and value > aim else "")


def to_markdown(rows, about):
    lines = [[f"{row['graph']}: {row['kind']}", f"{row['paths']:.0f}",
              f"{row['closure'] / 1e6:.0f}", f"{row['least'] / 1e6:.2f}", f"{row['sent'] / 1e6:.2f}",
              mark(row["amplification"], AIMS.get(row["kind"]), f"{row['amplification']:.2f}"),
              f"{row['amplificationWorst']:.2f}",
              mark(row["coldGrowthWorst"], COLD, f"{row['coldGrowthWorst']:.1%}"),
              mark(row["layersWorst"], LAYERS, f"{row['layersWorst']:.0f}")]
             for row in rows]
    return "\n".join([
        about, "", *report.table(
            ["graph: what changes at each step", "paths", "MB cold", "MB changed", "MB sent",
             "amplification", "worst history", "cold pull grown, worst", "layers, most"], lines)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--histories", type=int, default=5)
    parser.add_argument("--out")
    options = parser.parse_args()
    archive = Archive()
    rows, points = run(options, archive)
    about = (f"Debian {point_release()}: {', '.join(archive.suites)}; {options.steps} steps, "
             f"{options.histories} histories of each kind, of the real updates one of "
             f"{[int(row['steps']) for row in rows if row['kind'] == 'real updates']} steps.")
    if options.out:
        with open(options.out, "w", encoding="utf-8") as file:
            json.dump({"about": about, "rows": rows, "points": points}, file, indent=1)
            file.write("\n")
    print(to_markdown(rows, about))


if __name__ == "__main__":
    main()
