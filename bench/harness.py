"""Runs a command and tells what it cost: time, CPU of the whole process tree, memory, other load."""
import contextlib
import ctypes
import os
import pathlib
import resource
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

TICKS = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count()
PR_SET_CHILD_SUBREAPER = 36


@dataclass
class Sample:
    wall: float = 0.0        # s
    cpu: float = 0.0         # s, user and system of every process started
    rss: int = 0             # bytes, of the largest process; the sum of a pipeline's stages
    server_cpu: float = 0.0  # s, of the registry, and of links and servers before it
    foreign: float = 0.0     # CPU seconds of everybody else, per second and core
    bytes: int = 0           # produced or sent
    note: dict = field(default_factory=dict)

    def __add__(self, other):
        wall = self.wall + other.wall
        weighted = self.foreign * self.wall + other.foreign * other.wall
        return Sample(wall, self.cpu + other.cpu, max(self.rss, other.rss),
                      self.server_cpu + other.server_cpu, weighted / wall if wall else 0.0,
                      other.bytes or self.bytes)


class Failed(Exception):
    pass


def adopt_orphans():
    """Makes processes whose parent ended our children, so that their CPU time is counted too."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def busy_seconds():
    """CPU seconds the whole machine has worked."""
    fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _idle, _wait, irq, soft, *_ = map(int, fields)
    return (user + nice + system + irq + soft) / TICKS


def process_seconds(pid):
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def reap_orphans():
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def wait_for_quiet(patience):
    """Until the machine has been nearly idle for a moment, or `patience` seconds are over."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = busy_seconds()
        time.sleep(0.3)
        if (busy_seconds() - before) / 0.3 / CORES < 0.1:
            return


class Harness:
    def __init__(self, scratch, server_pid, patience, environment):
        self.scratch = pathlib.Path(scratch)
        self.servers = [server_pid]
        self.patience = patience
        self.environment = {**os.environ, **environment}
        adopt_orphans()

    @contextlib.contextmanager
    def serving(self, *pids):
        """These processes serve too, for as long as it lasts."""
        before = self.servers
        self.servers = [*before, *pids]
        try:
            yield
        finally:
            self.servers = before

    def server_seconds(self):
        return sum(process_seconds(pid) for pid in self.servers)

    def run(self, *pipelines, cwd=None, output=None):
        """Runs pipelines one after another; each is a list of commands, each a list of words.

        `output` gets what the last command of the last pipeline prints."""
        # Not our writes, and not those of the run before.
        os.sync()
        wait_for_quiet(self.patience)
        reap_orphans()
        sample = Sample()
        busy, server = busy_seconds(), self.server_seconds()
        children, own = children_seconds(), time.process_time()
        start = time.monotonic()
        for number, pipeline in enumerate(pipelines):
            last = number == len(pipelines) - 1
            sample.rss = max(sample.rss, self._pipeline(pipeline, cwd, output if last else None))
        sample.wall = time.monotonic() - start
        reap_orphans()
        sample.cpu = children_seconds() - children
        sample.server_cpu = self.server_seconds() - server
        others = (busy_seconds() - busy - sample.cpu - sample.server_cpu
                  - (time.process_time() - own))
        sample.foreign = max(0.0, others / sample.wall / CORES)
        return sample

    def _pipeline(self, commands, cwd, output):
        """Returns the sum of the stages' largest memory."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            log = open(f"{folder}/log", "w+b")
            target = open(output, "wb") if output else log
            stages, previous = [], None
            for number, command in enumerate(commands):
                # time(1) starts it from a small process: ours would count as its memory.
                timed = ["/usr/bin/time", "-q", "-f", "%M", "-o", f"{folder}/rss{number}", *command]
                last = number == len(commands) - 1
                stages.append(subprocess.Popen(
                    timed, stdin=previous or subprocess.DEVNULL, stderr=log, cwd=cwd,
                    stdout=target if last else subprocess.PIPE, env=self.environment))
                if previous:
                    previous.close()
                previous = stages[-1].stdout
            codes = [stage.wait() for stage in stages]
            target.close()
            if any(codes):
                if not log.closed:
                    log.close()
                text = pathlib.Path(f"{folder}/log").read_text(errors="replace")
                words = " | ".join(" ".join(c[:8]) for c in commands)
                raise Failed(f"exit codes {codes} of: {words}\n{text[-2000:]}")
            log.close()
            return sum(int(pathlib.Path(f"{folder}/rss{n}").read_text().split()[-1]) * 1024
                       for n in range(len(commands)))


def size_of(folder):
    """Bytes of the files in a folder, hard links counted once."""
    seen = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            info = os.lstat(os.path.join(parent, name))
            seen[info.st_ino] = info.st_size
    return sum(seen.values())
