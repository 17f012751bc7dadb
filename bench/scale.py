#!/usr/bin/env python3
"""Measures seeds of one size; started by `scale` inside the private /nix that has the closure."""
import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
from delivery import Delivery  # noqa: E402
from harness import Failed, Harness, size_of  # noqa: E402

ROWS = ("plan", "first seed", "nothing changed", "one leaf changed", "mount, empty cache",
        "mount, again")


class OwnMemory(threading.Thread):
    """The most memory that one process had, however many others it started.

    Its high-water mark is gone with the process, so it is read over and over."""

    def __init__(self, pid_file):
        super().__init__(daemon=True)
        self.pid_file = pathlib.Path(pid_file)
        self.peak = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(0.005):
            try:
                status = pathlib.Path(f"/proc/{self.pid_file.read_text().strip()}/status").read_text()
            except OSError:
                continue
            for line in status.splitlines():
                if line.startswith("VmHWM:"):
                    self.peak = max(self.peak, int(line.split()[1]) * 1024)

    def stop(self):
        self.ended.set()
        self.join()
        return self.peak


class Scale:
    def __init__(self, options):
        self.options = options
        self.folder = pathlib.Path(options.folder)
        self.app = self.folder / "app"
        self.scratch = pathlib.Path(options.scratch)
        home = self.scratch / "home"
        home.mkdir(exist_ok=True)
        self.harness = Harness(options.scratch, options.registry_pid, options.patience, {
            "HOME": str(home), "LC_ALL": "C.UTF-8", "NIX_SEED_CACHE": str(self.scratch / "cache")})
        self.samples = {}
        self.number = 0

    def checkout(self, tag):
        subprocess.run(["git", "-C", self.app, "checkout", "-q", tag], check=True)

    def command(self, pid_file, words):
        """Starts nix-seed so that its process id is known, with no evaluation remembered."""
        cache = self.scratch / "evaluations"
        shutil.rmtree(cache, ignore_errors=True)
        return ["env", f"XDG_CACHE_HOME={cache}", "sh", "-c", 'echo $$ > "$0" && exec "$@"',
                str(pid_file), self.options.nix_seed, *words]

    def measure(self, name, words, answer=None):
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            pid_file, output = f"{folder}/pid", f"{folder}/out"
            command = self.command(pid_file, words)
            memory = OwnMemory(pid_file)
            memory.start()
            sample = self.harness.run(Delivery.refused(*command) if answer else [command],
                                      output=output)
            sample.note = {"own": memory.stop()}
            text = pathlib.Path(output).read_text(encoding="utf-8")
            result = json.loads(text) if not answer else {}
        if "timings" in result:
            sample.note["timings"] = {t["step"]: t["seconds"] for t in result["timings"]}
            sample.note["layers"] = len(result["layers"])
            sample.note["status"] = result["status"]
            sample.bytes = result["bytesSent"]
        self.samples.setdefault(name, []).append(sample)
        print(f"{self.options.paths} paths, run {self.number}: {name}: {sample.wall:.2f} s, "
              f"{sample.cpu:.2f} CPU s, own {sample.note['own'] / 1e6:.0f} MB, largest "
              f"{sample.rss / 1e6:.0f} MB, {sample.bytes} bytes, others {sample.foreign:.0%} "
              f"{sample.note.get('timings', '')}", file=sys.stderr)
        return result

    def one_run(self):
        self.checkout("before")
        image = f"{self.options.registry}/scale-{self.options.paths}-{self.number}"
        where = ["--registry", image, "--insecure"]
        plan = self.measure("plan", ["plan", str(self.app), "--json", *where])
        self.measure("first seed", ["seed", str(self.app), "--json", *where])
        self.measure("nothing changed", ["seed", str(self.app), "--json", *where])
        cache = self.scratch / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        ask = ["build", f"{self.app}#nothing-of-this-name", "--no-link", "--require-seed",
               "--delivery", "mount", *where]
        self.measure("mount, empty cache", ask, answer=True)
        self.measure("mount, again", ask, answer=True)
        shutil.rmtree(cache, ignore_errors=True)
        self.checkout("after")
        self.measure("one leaf changed", ["seed", str(self.app), "--json", *where])
        self.checkout("before")
        return plan

    def result(self, plan):
        rows = {}
        for name in ROWS:
            samples = self.samples[name]
            middle = lambda get, of=samples: statistics.median(get(s) for s in of)  # noqa: E731
            rows[name] = {"seconds": middle(lambda s: s.wall), "cpu": middle(lambda s: s.cpu),
                          "own": middle(lambda s: s.note["own"]),
                          "largest": middle(lambda s: s.rss), "bytes": middle(lambda s: s.bytes),
                          "otherLoad": middle(lambda s: s.foreign),
                          "timings": samples[-1].note.get("timings", {}),
                          "samples": [[s.wall, s.cpu, s.note["own"], s.rss] for s in samples]}
        sizes = {path: size for layer in plan["layers"] for path, size in layer["paths"].items()}
        return {"paths": len(sizes), "bytes": sum(sizes.values()), "layers": len(plan["layers"]),
                "runs": self.number, "rows": rows}


def main():
    parser = argparse.ArgumentParser()
    for name in ("--nix-seed", "--folder", "--scratch", "--registry", "--out"):
        parser.add_argument(name, required=True)
    for name in ("--paths", "--registry-pid", "--runs"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--patience", type=float, default=10)
    options = parser.parse_args()
    scale = Scale(options)
    try:
        for scale.number in range(1, options.runs + 1):
            plan = scale.one_run()
    except Failed as error:
        print(f"scale: {error}", file=sys.stderr)
        return 1
    pathlib.Path(options.out).write_text(json.dumps(scale.result(plan)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())
