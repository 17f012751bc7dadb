"""Servers of the bench: a link of a given shape before another server, and one for plain files.

Both end with the bench, since they read its end of a pipe.
"""
import http.client
import pathlib
import subprocess
import sys
import time
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent


@dataclass(frozen=True)
class Shape:
    name: str
    mbit: float
    rtt: float  # ms


SHAPES = (Shape("5 Gbit/s, 1 ms", 5000, 1), Shape("1 Gbit/s, 5 ms", 1000, 5),
          Shape("200 Mbit/s, 30 ms", 200, 30))
# As fast as it may be: for its counts.
COUNTING = Shape("counting", 100_000, 0)


class Server:
    def __init__(self, program, *words):
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / program), *map(str, words)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, bufsize=1)
        self.port = int(self.process.stdout.readline())
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


class Link(Server):
    def passed(self):
        """Bytes that have gone up to the server, and down from it."""
        self.process.stdin.write("\n")
        return tuple(map(int, self.process.stdout.readline().split()))


def link(port, shape):
    return Link("shaped_link.py", "--to", port, "--mbit", shape.mbit, "--rtt", shape.rtt)


def files(folder):
    return Server("file_server.py", folder)


def round_trip(port, target):
    """Seconds from a request on a kept connection to its answer, at best."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    times = []
    for _ in range(8):
        start = time.monotonic()
        connection.request("HEAD", target)
        connection.getresponse().read()
        times.append(time.monotonic() - start)
    connection.close()
    return min(times[1:])  # the first one has the handshake in it


def throughput(port, target, size, connections):
    """Bytes per second of a file that is fetched in as many ranges."""
    step = -(-size // connections)
    start = time.monotonic()
    curls = [subprocess.Popen(["curl", "-sf", "-o", "/dev/null", "-r",
                               f"{first}-{min(first + step, size) - 1}",
                               f"http://127.0.0.1:{port}{target}"])
             for first in range(0, size, step)]
    if any([curl.wait() for curl in curls]):
        raise OSError("curl failed at a calibration")
    return size / (time.monotonic() - start)
