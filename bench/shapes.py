"""Time to the first answer through links of several speeds and lengths: ours, peers, the limit."""
import links
from delivery import Delivery
from harness import Sample
from peers import Peers
from reads import Reads

PREFIX = "shape "


class Shapes:
    def __init__(self, bench, image):
        """`image` is a seed in the registry: HOST:PORT/NAME."""
        self.bench = bench
        host, self.name = image.split("/", 1)
        self.registry_port = int(host.rpartition(":")[2])
        self.layers = Delivery(bench, image).layers()
        self.size = sum(layer["size"] for layer in self.layers)
        self.largest = max(self.layers, key=lambda layer: layer["size"])

    def calibrate(self, port):
        """What the link does, measured and not believed."""
        target = f"/v2/{self.name}/blobs/{self.largest['digest']}"
        size = self.largest["size"]
        return Sample(note={
            "one": links.throughput(port, target, size, 1),
            "six": links.throughput(port, target, size, 6),
            "round_trip": links.round_trip(port, target)})

    def add(self, shape, name, size, sample):
        sample.bytes = size
        self.bench.add(f"{PREFIX}{shape.name}: {name}", sample)

    def one_shape(self, shape, peers, registry, files):
        delivery = Delivery(self.bench, f"127.0.0.1:{registry.port}/{self.name}")
        self.add(shape, "link", 0, self.calibrate(registry.port))
        delivery.fresh()
        self.add(shape, "limit", self.size, delivery.fetch(self.layers))
        for way in ("mount", "unpack"):
            delivery.fresh()
            sample = delivery.nix_seed(way)
            size = delivery.cached_bytes() if way == "mount" else self.size
            self.add(shape, f"nix-seed, {way}", size, sample)
        builder = Reads(self.bench, delivery.image)
        sample = builder.until_builder()
        self.add(shape, "nix-seed, mount, until a builder begins", builder.cached_bytes(), sample)
        for name, size, sample in peers.run(files.port):
            self.add(shape, name, size, sample)
        delivery.fresh()
        self.add(shape, "podman pull, podman run", self.size, delivery.podman_whole())
        delivery.fresh()

    def run(self, peers):
        with links.files(peers.files) as server:
            for shape in links.SHAPES:
                with links.link(self.registry_port, shape) as registry, \
                        links.link(server.port, shape) as files:
                    with self.bench.harness.serving(server.pid, registry.pid, files.pid):
                        self.one_shape(shape, peers, registry, files)


def prepare(bench):
    peers = Peers(bench)
    peers.prepare()
    return peers
