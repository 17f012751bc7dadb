#!/usr/bin/env python3
"""usage: fetch_ranges.py URL FILE CONNECTIONS

A file in equal ranges at the same time, each on a connection of its own, written where it belongs:
how ways with one big file fetch it.
"""
import http.client
import os
import sys
import threading
import urllib.parse


def fetch(url, file, first, last, failures):
    connection = http.client.HTTPConnection(url.hostname, url.port)
    connection.request("GET", url.path, headers={"Range": f"bytes={first}-{last}"})
    response = connection.getresponse()
    buffer = memoryview(bytearray(1 << 20))
    while first <= last and (size := response.readinto(buffer)):
        os.pwrite(file, buffer[:size], first)
        first += size
    if response.status != 206 or first != last + 1:
        failures.append(f"{response.status}, {last + 1 - first} bytes missing")


def main():
    url, count = urllib.parse.urlsplit(sys.argv[1]), int(sys.argv[3])
    connection = http.client.HTTPConnection(url.hostname, url.port)
    connection.request("HEAD", url.path)
    size = int(connection.getresponse().headers["Content-Length"])
    file = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    step, failures = -(-size // count), []
    threads = [threading.Thread(target=fetch, args=(
        url, file, first, min(first + step, size) - 1, failures)) for first in range(0, size, step)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return "; ".join(failures) or 0


if __name__ == "__main__":
    sys.exit(main())
