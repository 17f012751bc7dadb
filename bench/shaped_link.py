#!/usr/bin/env python3
"""usage: shaped_link.py --to PORT --mbit N --rtt MS

A link of a given speed and length before a server on this machine: listens on 127.0.0.1, prints the
port, and ends with its standard input.  For each line there it prints how many bytes have gone up and
down.  The kernel's own netem would do this, where it is built in.

Each direction has one token bucket for all connections, which take turns; what comes in is passed on
half a round trip later, and a new connection waits for the round trip of its handshake.  Bytes go
from socket to pipe to socket with splice(2) and are never copied here.  There is no slow start, no
loss and no limit for a single connection: what is measured through it is the best such a link gives.
"""
import argparse
import collections
import fcntl
import os
import select
import socket
import sys
import time

PIECE = 128 << 10  # bytes of one turn
LEAST = 64 << 10   # not worth a turn, unless it is all there is
F_SETPIPE_SZ = 1031
SPLICE = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK


class Bucket:
    """What may pass: refilled as time goes by, never more than a moment's worth."""

    def __init__(self, bytes_per_second):
        self.rate = bytes_per_second
        self.burst = max(2 * PIECE, bytes_per_second * 0.004)
        self.tokens = self.burst
        self.passed = 0  # bytes
        self.at = time.monotonic()

    def refill(self, now):
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now

    def wait(self, size):
        """Seconds until that much may pass."""
        return max(0.0, (size - self.tokens) / self.rate)


class Flow:
    """One direction of one connection: a pipe, and when each piece in it is due."""

    def __init__(self, source, target, bucket, delay, opens, capacity):
        self.source, self.target, self.bucket = source, target, bucket
        self.delay, self.opens = delay, opens
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self.writer, False)
        fcntl.fcntl(self.writer, F_SETPIPE_SZ, capacity)
        self.due = collections.deque()  # [time, bytes]; no bytes: the end
        self.ended = self.full = self.blocked = self.closed = False

    def take(self, now):
        """From the source into the pipe."""
        try:
            size = os.splice(self.source.fileno(), self.writer, 1 << 20, flags=SPLICE)
        except BlockingIOError:
            self.full = bool(self.due)  # select said that there is something: no room
            return
        except OSError:
            size = 0
        self.ended = size == 0
        self.due.append([max(now, self.opens) + self.delay, size])

    def give(self, now):
        """From the pipe to the target, what is due and may pass; one turn."""
        when, size = self.due[0]
        if size == 0:
            self.due.popleft()
            self.close()
            return
        if self.bucket.tokens < min(size, LEAST):
            return
        size = min(size, PIECE, int(self.bucket.tokens))
        try:
            passed = os.splice(self.reader, self.target.fileno(), size, flags=SPLICE)
        except BlockingIOError:
            self.blocked = True
            return
        except OSError:
            self.close()
            return
        self.full = False
        self.bucket.tokens -= passed
        self.bucket.passed += passed
        self.due[0][1] -= passed
        if self.due[0][1] == 0:
            self.due.popleft()

    def wait(self, now):
        """Seconds until the next turn makes sense."""
        if not self.due or self.blocked:
            return 3600.0
        when, size = self.due[0]
        return max(when - now, self.bucket.wait(min(size, LEAST)))

    def close(self):
        try:
            self.target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        os.close(self.reader)
        os.close(self.writer)
        self.due.clear()
        self.closed = self.ended = True


class Link:
    def __init__(self, port, mbit, rtt):
        rate = mbit * 1e6 / 8
        self.port, self.rtt = port, rtt
        self.up, self.down = Bucket(rate), Bucket(rate)
        # Room for what is under way, twice.
        self.capacity = max(1 << 20, 1 << int(rate * rtt).bit_length())
        self.flows, self.pairs = [], []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.listener.setblocking(False)

    def accept(self, now):
        try:
            client, _ = self.listener.accept()
        except BlockingIOError:
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.port))
        except OSError:
            client.close()
            return
        for end in (client, server):
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opens = now + self.rtt
        pair = [Flow(client, server, self.up, self.rtt / 2, opens, self.capacity),
                Flow(server, client, self.down, self.rtt / 2, opens, self.capacity)]
        self.flows += pair
        self.pairs.append((pair, client, server))

    def sweep(self):
        """Closes connections that are over in both directions."""
        for entry in [entry for entry in self.pairs if all(flow.closed for flow in entry[0])]:
            self.pairs.remove(entry)
            for flow in entry[0]:
                self.flows.remove(flow)
            entry[1].close()
            entry[2].close()

    def turn(self):
        """Passes on all that may pass now; returns how long to sleep at most, in seconds."""
        now = time.monotonic()
        self.up.refill(now)
        self.down.refill(now)
        sleep = 3600.0
        for flow in self.flows:
            if flow.due and not flow.blocked:
                wait = flow.due[0][0] - now
                if wait <= 0:
                    flow.give(now)
                    wait = flow.wait(now)
                sleep = min(sleep, max(wait, 0.0))
        self.flows.append(self.flows.pop(0)) if self.flows else None
        return sleep

    def serve(self):
        while True:
            sleep = self.turn()
            readable = {flow.source: flow for flow in self.flows if not flow.ended and not flow.full}
            writable = {flow.target: flow for flow in self.flows if flow.blocked}
            ready, free, _ = select.select([self.listener, sys.stdin, *readable], writable, [],
                                           max(sleep, 0.00002))
            now = time.monotonic()
            for end in free:
                writable[end].blocked = False
            for end in ready:
                if end is sys.stdin:
                    if not sys.stdin.readline():
                        return
                    print(self.up.passed, self.down.passed, flush=True)
                elif end is self.listener:
                    self.accept(now)
                else:
                    readable[end].take(now)
            if any(flow.closed for flow in self.flows):
                self.sweep()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--to", type=int, required=True)
    parser.add_argument("--mbit", type=float, required=True)
    parser.add_argument("--rtt", type=float, required=True)
    options = parser.parse_args()
    link = Link(options.to, options.mbit, options.rtt / 1000)
    print(link.listener.getsockname()[1], flush=True)
    link.serve()


if __name__ == "__main__":
    main()
