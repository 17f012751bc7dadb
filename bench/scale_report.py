#!/usr/bin/env python3
"""One table and one JSON of what `scale` measured."""
import argparse
import json
import pathlib
import sys

sys.dont_write_bytecode = True
import report  # noqa: E402

MEMORY_AIM = 150e6  # bytes


def describe(facts):
    tools = ", ".join(f"{name} {facts['versions'][name]}"
                      for name in ("nix-seed", "nix", "docker-registry"))
    return (f"{facts['cpu']}, {facts['cores']} cores, {facts['memory'] / 2**30:.0f} GiB; "
            f"{facts['system']}, Linux {facts['kernel']}; {tools}.")


def points(results):
    """For a chart: every figure of every row against the number of paths."""
    found = []
    for result in results:
        for name, row in result["rows"].items():
            for key, unit, scale in (("seconds", "s", 1), ("cpu", "CPU s", 1),
                                     ("own", "MB of nix-seed", 1e6)):
                found.append({"chart": f"scale: {unit}", "series": name, "x": result["paths"],
                              "y": row[key] / scale, "xUnit": "paths", "yUnit": unit})
    return found


def to_markdown(facts, results):
    lines = []
    for name in results[0]["rows"]:
        for result in results:
            row = result["rows"][name]
            own = f"{row['own'] / 1e6:.0f}" + (" (!)" if row["own"] > MEMORY_AIM else "")
            lines.append([name, f"{result['paths']}", f"{row['seconds']:.2f}", f"{row['cpu']:.2f}",
                          own, f"{row['largest'] / 1e6:.0f}",
                          report.mega(row["bytes"]) if row["bytes"] else "-", report.load(row | {
                              "foreign": row["otherLoad"]})])
    sizes = "; ".join(f"{result['paths']} paths of {result['bytes'] / 1e6:.0f} MB in "
                      f"{result['layers']} layers" for result in results)
    steps = sorted({step for result in results for row in result["rows"].values()
                    for step in row["timings"]})
    timings = [[f"{name}, {result['paths']}", *(
        f"{result['rows'][name]['timings'].get(step, 0):.2f}" for step in steps)]
        for name in ("first seed", "nothing changed", "one leaf changed") for result in results]
    return "\n".join([
        describe(facts), "", f"{sizes}. Medians of {results[0]['runs']} runs.", "",
        *report.table(["", "paths", "s", "CPU s", "nix-seed's MB", "largest process, MB", "MB sent",
                       "other load"], lines), "",
        *report.table(["step by step, in s", *steps], timings)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nix-seed", required=True)
    parser.add_argument("--out")
    parser.add_argument("results", nargs="+")
    options = parser.parse_args()
    facts = report.machine(options.nix_seed)
    results = [json.loads(pathlib.Path(name).read_text(encoding="utf-8"))
               for name in options.results]
    if options.out:
        pathlib.Path(options.out).write_text(json.dumps(
            {"machine": facts, "results": results, "points": points(results)}, indent=1) + "\n",
            encoding="utf-8")
    print(to_markdown(facts, results))


if __name__ == "__main__":
    main()
