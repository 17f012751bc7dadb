"""One input changes: what is sent, what is pulled where everything of the version before is there, and
what the job that makes the new version takes; ours, what people use today, and the least.

The least is what changed and nothing else: the store paths that the version before does not have, each
compressed alone. Changes start from the same version and have no changed path in common, so that one
can be pulled after another: nothing of it is there. Bytes to and from servers are counted on the way,
with all that HTTP adds.
"""
import subprocess
from dataclasses import dataclass

import change_report
import links
from delivery import Delivery, in_memory
from harness import Failed, Sample
from peers import COPY_FROM, Peers
from shape_report import OURS


@dataclass
class State:
    """The application before the changes, or after one of them."""
    name: str
    tag: str
    paths: dict     # base name -> NAR size
    package: str = ""
    digest: str = ""  # of its seed


def least(paths):
    """Bytes of these paths, each compressed alone."""
    size = 0
    for path in sorted(paths):
        with subprocess.Popen(["nix-store", "--dump", f"/nix/store/{path}"],
                              stdout=subprocess.PIPE) as dump:
            size += len(subprocess.run(["zstd", "-3", "-c"], stdin=dump.stdout, check=True,
                                       capture_output=True).stdout)
        if dump.returncode:
            raise Failed(f"nix-store --dump {path}")
    return size


class Changes:
    def __init__(self, bench):
        self.bench = bench
        self.before = State("before", "before", bench.paths)
        known = set(self.before.paths)
        self.after = [State(name, f"after-{name}", bench.plan(f"after-{name}"),
                            getattr(bench.options, name)) for name in ("leaf", "mid", "base")]
        self.bench.plan("before")
        self.least = {}
        for state in self.after:
            changed = state.paths.keys() - self.before.paths.keys()
            if changed & known:
                raise Failed(f"the change of {state.package} has paths of another")
            known |= changed
            self.least[state.name] = Sample(bytes=least(changed), note={
                "package": state.package, "paths": len(changed), "of": len(state.paths),
                "narBytes": sum(state.paths[path] for path in changed)})

    def add(self, state, way, sample, pulled=None):
        if pulled is not None:
            sample.note["pulled"] = pulled
        self.bench.add(f"{change_report.PREFIX}{state.name}: {way}", sample)

    def states(self):
        """Each in turn, checked out."""
        for state in (self.before, *self.after):
            self.bench.checkout(state.tag)
            yield state

    @staticmethod
    def counted(link, job):
        """The job's sample, with bytes that went up, and bytes that came down."""
        up, down = link.passed()
        sample = job()
        sent, pulled = link.passed()
        sample.bytes = sent - up
        return sample, pulled - down

    # ---- nix-seed --------------------------------------------------------------------------------

    def seeds(self, link, image):
        """The job's sample for each change."""
        samples = {}
        for state in self.states():
            # The one before is `latest` only for the first change.
            previous = [] if state is self.before else ["--previous", self.before.digest]
            sample, _ = self.counted(link, lambda: self.bench.seed(image, "--insecure", *previous))
            samples[state.name], state.digest = sample, sample.note["digest"]
        return samples

    def mounts(self, link, image, samples):
        """Until Nix answers, on a machine with the whole seed before, and on one that has nothing."""
        delivery = Delivery(self.bench, image, "change")

        def pulled():
            return self.counted(link, lambda: delivery.nix_seed("mount"))[1]

        delivery.fresh()
        for state in self.states():
            if state is self.before:
                self.fill(delivery)
            else:
                self.add(state, OURS, samples[state.name], pulled())
        for state in self.after:
            delivery.fresh()
            self.bench.checkout(state.tag)
            self.add(state, f"{OURS}, empty cache", Sample(), pulled())
        delivery.fresh()

    def fill(self, delivery):
        delivery.fill()
        size = sum(layer["size"] for layer in delivery.layers(self.before.digest))
        if delivery.cached_bytes() < 0.99 * size:
            raise Failed(f"of {size} bytes of layers the cache has {delivery.cached_bytes()}")

    def podman_pulls(self, link, reference):
        """Bytes that each state's image takes where the one before has been pulled."""
        delivery = Delivery(self.bench, "", "change")
        delivery.fresh()
        for state in self.states():
            _, pulled = self.counted(
                link, lambda: delivery.podman(delivery.pull_of(reference(state))))
            yield state, pulled
        delivery.fresh()

    def nix_seed(self, link):
        image = f"127.0.0.1:{link.port}/change-{self.bench.run_number}"
        self.mounts(link, image, self.seeds(link, image))
        for state, pulled in self.podman_pulls(link, lambda state: f"{image}@{state.digest}"):
            if state is not self.before:
                self.add(state, "nix-seed, podman pull", Sample(), pulled)

    # ---- what people use today -------------------------------------------------------------------

    def nix_copy(self):
        folder, store = self.bench.fresh("change-binaries"), self.bench.scratch / "change-store"
        folder.mkdir()
        in_memory(store)
        peers = Peers(self.bench, "change-peers")
        with links.files(folder) as server, links.link(server.port, links.COUNTING) as link:
            for state in self.states():
                sample = self.bench.copy_to(folder, "zstd", state.paths)
                listed = peers.write_list(state.paths)
                _, pulled = self.counted(link, lambda: self.bench.harness.run(
                    [["sh", "-ec", COPY_FROM, "copy", f"http://127.0.0.1:{link.port}", str(listed)]],
                    cwd=store))
                if state is not self.before:
                    self.add(state, "nix copy, zstd", sample, pulled)
        in_memory(store)
        self.bench.fresh("change-binaries")

    def whole_files(self):
        """Ways of one file: whatever changed, it is made, sent and pulled again."""
        peers = Peers(self.bench, "change-peers")
        for state in self.after:
            registration = peers.registration(state.paths)
            for name, make in (("squashfs", peers.squashfs), ("tar.zst", peers.tar_zst)):
                sample = registration + make(state.paths)
                self.add(state, f"{name}, whole", sample, sample.bytes)
        self.bench.fresh("change-peers")

    def one_layer(self, link):
        image = f"127.0.0.1:{link.port}/change-{self.bench.run_number}/buildah"
        samples = {}
        for state in self.states():
            self.bench.write_list(state.paths)
            with self.bench.image_storage() as storage:
                made = self.bench.one_layer(storage)
                pushed, _ = self.counted(link, lambda: self.bench.harness.run(
                    [["buildah", *storage, "push", "--tls-verify=false", "--compression-format",
                      "zstd", "bench", f"docker://{image}:{state.name}"]]))
                samples[state.name] = made + pushed
        self.bench.write_list(self.bench.paths)
        for state, pulled in self.podman_pulls(link, lambda state: f"{image}:{state.name}"):
            if state is not self.before:
                self.add(state, "buildah, one layer", samples[state.name], pulled)

    def run(self):
        for state in self.after:
            self.add(state, change_report.LEAST, self.least[state.name])
        port = int(self.bench.options.registry.rpartition(":")[2])
        with links.link(port, links.COUNTING) as link, self.bench.harness.serving(link.pid):
            self.nix_seed(link)
            self.nix_copy()
            self.whole_files()
            self.one_layer(link)
        self.bench.checkout("before")
