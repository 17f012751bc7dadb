#!/usr/bin/env python3
"""A synthetic closure of any size in the store of a private /nix; run inside it.

usage: scale_closure.py FOLDER PATHS BYTES

Makes the git repositories FOLDER/packages, a flake of PATHS derivations, and FOLDER/app, a flake whose
one own derivation needs them all; its tag `before` is the closure as it is, `after` has another version of
one leaf. Nothing is built: each output's files are written to the path that Nix computes for it, and Nix
registers them, hashing what it finds. So the store is one as builds would have left it.
"""
import json
import math
import os
import pathlib
import random
import subprocess
import sys

FAN_IN = 40          # of the nodes that hold together what nothing else needs
POOL_BYTES = 96 << 20
MEDIAN_FILE = 9000   # bytes; of a toolchain's files, half are smaller
FILES_PER_FOLDER = 60

PACKAGES = """{
  outputs = { self }:
    let
      nodes = builtins.listToAttrs (map (node: {
        inherit (node) name;
        value = derivation {
          inherit (node) name version;
          system = "SYSTEM";
          builder = "/bin/sh";
          args = [ "-c" "echo this is written, not built; exit 1" ];
          needs = map (other: nodes.${other}) node.needs;
        };
      }) (builtins.fromJSON (builtins.readFile ./graph.json)));
    in {
      packages.SYSTEM.default = nodes.top;
      paths = builtins.mapAttrs (name: node: node.outPath) nodes;
    };
}
"""

APP = """{
  inputs.packages.url = "git+file://FOLDER/packages";
  outputs = { self, packages }: {
    packages.SYSTEM.default = derivation {
      name = "app";
      system = "SYSTEM";
      builder = "/bin/sh";
      args = [ "-c" "echo done > $out" ];
      source = self;
      needs = [ packages.packages.SYSTEM.default ];
    };
  };
}
"""


def make_graph(count, total, chance):
    """Few libraries that many need, many tools that few need; sizes log-normal. Needs come first."""
    nodes = []
    for number in range(count):
        needs = set()
        for _ in range(0 if number == 0 else chance.randint(1, 6)):
            # The most are near the bottom of what there is.
            needs.add(nodes[int(number * chance.random() ** 3)]["name"])
        nodes.append({"name": f"part{chance.randrange(10 ** 6)}-1.{number}", "version": 1,
                      "needs": sorted(needs), "bytes": math.exp(chance.gauss(0, 1.9))})
    # What nothing needs is held together by small nodes, as environments do, up to one on top.
    needed = {need for node in nodes for need in node["needs"]}
    loose = [node["name"] for node in nodes if node["name"] not in needed]
    leaf, level = loose[len(loose) // 2], 0
    while len(loose) > 1:
        level += 1
        groups = [loose[at:at + FAN_IN] for at in range(0, len(loose), FAN_IN)]
        loose = []
        for number, group in enumerate(groups):
            name = "top" if len(groups) == 1 else f"env{level}-{number}"
            nodes.append({"name": name, "version": 1, "needs": sorted(group), "bytes": 0})
            loose.append(name)
    scale = total / sum(node["bytes"] for node in nodes)
    for node in nodes:
        node["bytes"] = int(node["bytes"] * scale)
    return nodes, leaf


def make_pool(chance):
    """Bytes of which zstd leaves somewhat over a quarter, as it does of programs."""
    words = [chance.randbytes(chance.randint(10, 50)) for _ in range(2000)]
    pool = bytearray()
    while len(pool) < POOL_BYTES:
        pool += chance.randbytes(600)
        pool += b"".join(chance.choices(words, k=100))
    return memoryview(bytes(pool))


def write_output(path, node, needs, pool, chance):
    """A file that names what the path needs, and others with nothing but bytes."""
    folder = pathlib.Path(path)
    (folder / "share").mkdir(parents=True)
    (folder / "share/needs").write_text("".join(f"{need}\n" for need in needs) + f"{node['version']}\n")
    rest, number = node["bytes"], 0
    while rest > 0:
        if number % FILES_PER_FOLDER == 0:
            below = folder / f"lib/d{number // FILES_PER_FOLDER}"
            below.mkdir(parents=True)
        size = min(rest, int(MEDIAN_FILE * math.exp(chance.gauss(0, 1.7))) + 1, 32 << 20)
        at = chance.randrange(POOL_BYTES - size)
        with open(below / f"f{number}", "wb", buffering=0) as file:
            file.write(f"{path} {number}\n".encode())
            file.write(pool[at:at + size])
        rest -= size
        number += 1


def nix(*words, **more):
    return subprocess.run(["nix", "--extra-experimental-features", "nix-command flakes", *words],
                          check=True, text=True, **more)


def fill_store(folder, nodes, pool):
    """Writes what the store lacks of the packages' outputs, and has Nix register them."""
    paths = json.loads(nix("eval", "--json", f"git+file://{folder}/packages#paths",
                           stdout=subprocess.PIPE).stdout)
    text = []
    for node in nodes:
        path, needs = paths[node["name"]], [paths[need] for need in node["needs"]]
        if not os.path.lexists(path):
            chance = random.Random(f"{node['name']} {node['version']}")
            write_output(path, node, needs, pool, chance)
            text.append("\n".join([path, "", str(len(needs)), *needs]) + "\n")
    subprocess.run(["nix-store", "--register-validity"], input="".join(text), text=True, check=True)
    # The derivations themselves, as a machine has them that has built them.
    nix("eval", "--raw", f"git+file://{folder}/packages#packages.{SYSTEM}.default.drvPath",
        stdout=subprocess.DEVNULL)


def git(folder, *words):
    subprocess.run(["git", "-C", str(folder), "-c", "user.name=bench", "-c",
                    "user.email=bench@example.invalid", "-c", "commit.gpgsign=false", *words],
                   check=True, stdout=subprocess.DEVNULL)


def commit(folder, files):
    folder.mkdir(exist_ok=True)
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "a state of it")


def graph_file(nodes):
    return json.dumps([{key: node[key] for key in ("name", "version", "needs")} for node in nodes])


def main():
    folder, count, total = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(count)
    nodes, leaf = make_graph(count, total, chance)
    pool = make_pool(chance)
    commit(folder / "packages", {"flake.nix": PACKAGES.replace("SYSTEM", SYSTEM),
                                 "graph.json": graph_file(nodes)})
    fill_store(folder, nodes, pool)
    app = folder / "app"
    commit(app, {"flake.nix": APP.replace("SYSTEM", SYSTEM).replace("FOLDER", str(folder))})
    for tag in ("before", "after"):
        if tag == "after":
            next(node for node in nodes if node["name"] == leaf)["version"] = 2
            commit(folder / "packages", {"graph.json": graph_file(nodes)})
            fill_store(folder, nodes, pool)
        nix("flake", "lock", "--update-input", "packages", f"git+file://{app}",
            stderr=subprocess.DEVNULL)
        git(app, "add", "-A")
        git(app, "commit", "-q", "-m", tag)
        git(app, "tag", tag)
    git(app, "checkout", "-q", "before")


if __name__ == "__main__":
    SYSTEM = f"{os.uname().machine}-linux"
    main()
