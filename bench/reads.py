"""What of a seed a real build in it reads: the application is built in a mounted seed, and when its
builder begins, or has done all it has to do, the kernel is asked which pages of the mount it has in
memory.

The mount is new, so that nothing is there but what evaluation and build have touched, and what the
kernel read ahead of them.
"""
import ctypes
import json
import os
import signal
import subprocess
import sys
import time

from delivery import disk_bytes
from harness import Sample

NAP = "98765"  # s, how the builder is recognised
UNTIL = "--until-builder"
CACHESTAT = 451
BEGINNING, END = "until the builder begins", "until the builder ends"
PAGE = os.sysconf("SC_PAGE_SIZE")


def cached_bytes(libc, path):
    """Bytes of a file that are in memory, by cachestat(2) of Linux 6.5."""
    span, counts = (ctypes.c_uint64 * 2)(0, 0), (ctypes.c_uint64 * 5)()
    file = os.open(path, os.O_RDONLY)
    try:
        if libc.syscall(CACHESTAT, file, span, counts, 0):
            raise OSError(ctypes.get_errno(), "cachestat")
    finally:
        os.close(file)
    return counts[0] * PAGE


def survey(store):
    """Store path -> [bytes, bytes in memory, files, files of which something is in memory]."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = {}
    for parent, _, names in os.walk(store):
        for name in names:
            path = os.path.join(parent, name)
            info = os.lstat(path)
            if os.path.islink(path) or info.st_size == 0:
                continue
            base = os.path.relpath(path, store).split("/")[0]
            entry = result.setdefault(base, [0, 0, 0, 0])
            there = min(cached_bytes(libc, path), info.st_size)
            for place, value in enumerate((info.st_size, there, 1, there > 0)):
                entry[place] += value
    return result


def napping():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                if file.read().split(b"\0")[-2:-1] == [NAP.encode()]:
                    return True
        except OSError:
            pass
    return False


class Reads:
    def __init__(self, bench, image):
        self.bench, self.image = bench, image
        self.folder = bench.scratch / "reads"

    def project(self, when):
        """The application with a builder that lies down: a change of its own source, for which the
        seed is made."""
        app = self.folder / "app"
        subprocess.run(["git", "-c", "advice.detachedHead=false", "clone", "-q",
                        self.bench.options.app, str(app)], check=True)
        builder, nap = app / "build.sh", f"sleep {NAP}\n"
        text = builder.read_text()
        builder.write_text(nap + text if when == BEGINNING else text + nap)
        subprocess.run(["git", "-C", str(app), "-c", "user.name=bench", "-c", "user.email=b@invalid",
                        "commit", "-qam", "wait"], check=True)
        return app

    def build(self, project):
        return [self.bench.options.nix_seed, "build", f"{project}#default", "--no-link",
                "--require-seed", "--insecure", "--registry", self.image, "--delivery", "mount"]

    def until_builder(self):
        """Time from nothing until the builder begins, as the harness sees it."""
        self.bench.fresh("reads").mkdir()
        return self.bench.harness.run([
            ["env", f"NIX_SEED_CACHE={self.folder}/cache", sys.executable, __file__, UNTIL,
             *self.build(self.project(BEGINNING))]])

    def cached_bytes(self):
        return disk_bytes(self.folder / "cache/layers")

    def run(self, when):
        """One row: bytes read of all, in the note."""
        self.bench.fresh("reads").mkdir()
        cache = self.folder / "cache"
        log = open(self.folder / "log", "w+")
        build = subprocess.Popen(
            self.build(self.project(when)),
            env={**self.bench.harness.environment, "NIX_SEED_CACHE": str(cache)}, stdout=log,
            stderr=log)
        try:
            while not napping():
                if build.poll() is not None:
                    log.seek(0)
                    raise OSError(f"the build did not get to its end:\n{log.read()[-2000:]}")
                time.sleep(0.2)
            text = subprocess.run(
                ["nsenter", "-t", str(build.pid), "-m", sys.executable, __file__,
                 str(cache / "root/nix/store")], check=True, capture_output=True, text=True).stdout
        finally:
            build.send_signal(signal.SIGTERM)
            build.wait()
        return Sample(note=self.judge(json.loads(text)))

    def judge(self, paths):
        total = [sum(entry[place] for entry in paths.values()) for place in range(4)]
        layers = self.bench.layer_paths
        touched = [layer for layer in layers
                   if any(paths.get(path, [0, 0])[1] > 0 for path in layer)]
        return {"bytes": total[0], "read": total[1], "files": total[2], "files_read": total[3],
                "paths": len(paths), "paths_read": sum(entry[1] > 0 for entry in paths.values()),
                "layers": len(layers), "layers_read": len(touched),
                "layer_bytes_read": sum(sum(layer.values()) for layer in touched),
                "layer_bytes": sum(sum(layer.values()) for layer in layers)}


def run_until_builder(command):
    """Ends the command when a builder naps."""
    build = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not napping():
        if build.poll() is not None:
            sys.exit("the build did not get to its builder")
        time.sleep(0.02)
    build.send_signal(signal.SIGTERM)
    build.wait()


if __name__ == "__main__":
    if sys.argv[1] == UNTIL:
        run_until_builder(sys.argv[2:])
    else:
        print(json.dumps(survey(sys.argv[1])))
