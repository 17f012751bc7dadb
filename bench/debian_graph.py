"""Dependency graphs of Debian packages, out of the indexes that apt has on this machine."""
import functools
import re
import subprocess
from dataclasses import dataclass, field

FIELD = re.compile(r"^([A-Z][A-Za-z-]*): (.*)$", re.M)


@dataclass
class Package:
    """One version of a binary package."""
    name: str
    version: str
    source: str
    source_version: str
    size: int       # bytes of the .deb: what a layer's blob would have
    installed: int  # bytes on disk
    depends: list   # of alternatives, each a list of names
    provides: list


@dataclass
class Node:
    package: Package
    needs: list = field(default_factory=list)  # names, no cycle among them


def index_files():
    """The package lists of the distribution's own archive, with the suite of each."""
    lines = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(FILENAME)",
         "Created-By: Packages"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split(" ", 2)[1:] for line in lines if line.startswith("Debian ")]


def point_release():
    """The number of the distribution's release that the lists are of."""
    text = subprocess.run(["apt-cache", "policy"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"release v=(\d+\.\d+),o=Debian", text)
    return found[1] if found else "?"


def names_in(text):
    """The first word of each alternative, of each clause."""
    return [[choice.split()[0].split(":")[0] for choice in clause.split("|") if choice.strip()]
            for clause in text.split(",") if clause.strip()]


def parse(stanza):
    fields = dict(FIELD.findall(stanza))
    if "Package" not in fields or "Size" not in fields:
        return None
    source = re.match(r"(\S+)(?: \((.*)\))?", fields.get("Source", fields["Package"]))
    return Package(
        fields["Package"], fields["Version"], source[1], source[2] or fields["Version"],
        int(fields["Size"]), int(fields.get("Installed-Size", 0)) * 1024,
        names_in(fields.get("Pre-Depends", "")) + names_in(fields.get("Depends", "")),
        [names[0] for names in names_in(fields.get("Provides", "")) if names])


@functools.lru_cache(maxsize=None)
def compare(a, b):
    if a == b:
        return 0
    older = subprocess.run(["dpkg", "--compare-versions", a, "lt", b], check=False).returncode == 0
    return -1 if older else 1


by_version = functools.cmp_to_key(compare)


class Archive:
    """Every version of every package that the indexes name."""

    def __init__(self):
        self.packages = {}
        self.suites = []
        for suite, filename in index_files():
            self.suites.append(suite)
            text = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", filename],
                                  capture_output=True, check=True).stdout.decode(errors="replace")
            for stanza in text.split("\n\n"):
                package = parse(stanza)
                if package:
                    self.packages.setdefault(package.name, {})[package.version] = package
        self.ordered = {name: sorted(versions.values(), key=lambda p: by_version(p.version))
                        for name, versions in self.packages.items()}
        self.provided = {}
        for name, versions in sorted(self.ordered.items()):
            for virtual in versions[-1].provides:
                self.provided.setdefault(virtual, name)

    def pick(self, name, limits):
        """The newest version of a package whose source is not newer than `limits` has it."""
        versions = self.ordered[name]
        limit = limits.get(versions[-1].source)
        if limit is None:
            return versions[-1]
        fitting = [p for p in versions if compare(p.source_version, limit) <= 0]
        return fitting[-1] if fitting else versions[0]

    def resolve(self, choices):
        for choice in choices:
            if choice in self.ordered:
                return choice
            if choice in self.provided:
                return self.provided[choice]
        return None

    def graph(self, roots, limits=None):
        """Name to node, dependencies first; an edge that would close a cycle is left out."""
        nodes, on_path = {}, set()

        def visit(name):
            package = self.pick(name, limits or {})
            found = {self.resolve(choices) for choices in package.depends} - {None, name}
            on_path.add(name)
            node = Node(package)
            for need in sorted(found):
                if need not in nodes and need not in on_path:
                    visit(need)
                if need in nodes:
                    node.needs.append(need)
            on_path.discard(name)
            nodes[name] = node

        for root in roots:
            if root in self.ordered and root not in nodes:
                visit(root)
        return nodes

    def updates(self, graph):
        """(source, version) of every update the indexes know for the graph's packages, oldest
        first: each source's first one, then each one's second."""
        known = {}
        for name in graph:
            for package in self.ordered[name]:
                known.setdefault(package.source, set()).add(package.source_version)
        chains = {source: sorted(versions, key=by_version)
                  for source, versions in sorted(known.items()) if len(versions) > 1}
        return {source: versions[0] for source, versions in chains.items()}, [
            (source, versions[turn]) for turn in range(1, max(map(len, chains.values()), default=1))
            for source, versions in chains.items() if turn < len(versions)]


def dependents(graph):
    """How many packages a change of each one changes, itself among them."""
    above = {name: {name} for name in graph}
    for name in reversed(list(graph)):
        for need in graph[name].needs:
            above[need] |= above[name]
    return {name: len(names) for name, names in above.items()}
