#!/usr/bin/env python3
"""How much of what changes is new below the level of store paths; started by `below`.

Pairs of folders, before and after, are compared file by file: a file whose bytes some file of before
has is not new, nor is a block of 64 KiB that lies in the file of the same name at the same place. What
a delta could do at best is zstd with the older file as its dictionary.
"""
import argparse
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass

sys.dont_write_bytecode = True
from debian_graph import Archive, point_release  # noqa: E402
from history import TOOLCHAIN  # noqa: E402

BLOCK = 64 << 10
STORE_HASH = re.compile(rb"(?<=/nix/store/)[0-9a-z]{32}(?=-)")


@dataclass
class Sizes:
    """Bytes, of which new by each way of looking; those from `zstd` on are compressed."""
    total: int = 0
    files: int = 0
    blocks: int = 0
    nameless: int = 0  # of files that differ in more than the hashes in store paths
    zstd: int = 0
    zstd_files: int = 0
    delta: int = 0

    def add(self, other):
        for field in self.__dataclass_fields__:
            setattr(self, field, getattr(self, field) + getattr(other, field))


def files_below(folder):
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = pathlib.Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(folder), path.read_bytes()


def zstd(data, scratch, older=None):
    """Bytes of the compressed data, by the tool and at the level that seeds have."""
    new, old = scratch / "new", scratch / "old"
    new.write_bytes(data)
    delta = []
    if older:
        old.write_bytes(older)
        delta = ["--long=27", "--patch-from", str(old)]
    return len(subprocess.run(["zstd", "-3", "-q", "-c", *delta, str(new)], check=True,
                              capture_output=True).stdout)


def new_blocks(data, older):
    return sum(len(data[at:at + BLOCK]) for at in range(0, len(data), BLOCK)
               if data[at:at + BLOCK] != older[at:at + BLOCK])


def without_hashes(data):
    return STORE_HASH.sub(b"0" * 32, data)


def compare(before, after, scratch, compress):
    """`before` and `after` are lists of folders; names of files count within all of each."""
    known, by_name, nameless = set(), {}, set()
    for folder in before:
        for name, data in files_below(folder):
            known.add(hashlib.sha256(data).digest())
            nameless.add(hashlib.sha256(without_hashes(data)).digest())
            by_name.setdefault(str(name), data)
    sizes = Sizes()
    for folder in after:
        for name, data in files_below(folder):
            sizes.total += len(data)
            packed = zstd(data, scratch) if compress else 0
            sizes.zstd += packed
            if hashlib.sha256(data).digest() in known:
                continue
            older = by_name.get(str(name), b"")
            sizes.files += len(data)
            sizes.blocks += new_blocks(data, older)
            sizes.nameless += (0 if hashlib.sha256(without_hashes(data)).digest() in nameless
                               else len(data))
            sizes.zstd_files += packed
            if compress:
                sizes.delta += min(packed, zstd(data, scratch, older) if older else packed)
    return sizes


def releases(scratch):
    """Every package of the toolchain that the distribution has more than one version of: the oldest
    against the newest, as their .deb files unpack."""
    archive = Archive()
    sizes, packages = Sizes(), 0
    for name in archive.graph(TOOLCHAIN):
        versions = archive.ordered[name]
        if len(versions) < 2:
            continue
        folders = []
        for package in (versions[0], versions[-1]):
            with tempfile.TemporaryDirectory(dir=scratch) as place:
                # apt fetches as a user of its own where it can
                os.chmod(place, 0o777)
                subprocess.run(["apt-get", "-qq", "download", f"{name}={package.version}"],
                               cwd=place, check=True, stderr=subprocess.DEVNULL)
                [deb] = pathlib.Path(place).glob("*.deb")
                folder = scratch / f"{name}-{len(folders)}"
                subprocess.run(["dpkg-deb", "-x", str(deb), str(folder)], check=True)
                folders.append(folder)
        sizes.add(compare(folders[:1], folders[1:], scratch, True))
        packages += 1
        for folder in folders:
            subprocess.run(["rm", "-rf", str(folder)], check=True)
        print(f"{name}: {sizes}", file=sys.stderr)
    return packages, sizes


def rebuilt(before, after, scratch):
    """Store paths that are new, against those of the same name that they came for."""
    gone = {path.name[33:]: path for path in before if path not in set(after)}
    new = [path for path in after if path not in set(before)]
    sizes = Sizes()
    for path in new:
        older = [gone[path.name[33:]]] if path.name[33:] in gone else []
        sizes.add(compare(older, [path], scratch, False))
    return len(new), sizes


def megabytes(count):
    return f"{count / 1e6:.1f}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--before", required=True)
    parser.add_argument("--after", required=True)
    parser.add_argument("--out")
    options = parser.parse_args()
    closures = [[pathlib.Path(line) for line in pathlib.Path(file).read_text().split()]
                for file in (options.before, options.after)]
    with tempfile.TemporaryDirectory() as scratch:
        paths, base = rebuilt(*closures, pathlib.Path(scratch))
        packages, real = releases(pathlib.Path(scratch))
    print(f"Debian {point_release()}. MB that are new; the last three as zstd -3 leaves them.\n")
    print("| what changed | of it | by path | by file | by block of 64 KiB | but for store hashes "
          "| zstd, by path | by file | as a delta |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    print(f"| the base, references alone | {paths} paths | {megabytes(base.total)} "
          f"| {megabytes(base.files)} | {megabytes(base.blocks)} | {megabytes(base.nameless)} | – | – | – |")
    print(f"| real releases | {packages} packages | {megabytes(real.total)} | {megabytes(real.files)} "
          f"| {megabytes(real.blocks)} | – | {megabytes(real.zstd)} | {megabytes(real.zstd_files)} "
          f"| {megabytes(real.delta)} |")
    if options.out:
        pathlib.Path(options.out).write_text(json.dumps(
            {"base": {"paths": paths, **vars(base)}, "releases": {"packages": packages, **vars(real)}},
            indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
