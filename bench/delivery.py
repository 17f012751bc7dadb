"""Time to the first answer: from an empty machine until Nix, inside the seed, has read the flake.

The question is one that Nix answers without building: an attribute that the flake does not have. So
each way is timed from its first byte fetched to the end of one evaluation, and pays for all of it.
"""
import json
import os
import subprocess
import urllib.request

from harness import CORES, Sample

CONNECTIONS = 6
MEDIA = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json")
ASK = ["--extra-experimental-features", "nix-command flakes", "build", "--no-link", "--offline",
       "--no-write-lock-file", "--dry-run"]


def in_memory(folder):
    """An empty folder on a tmpfs, whatever was there. It goes with this process's namespace."""
    subprocess.run(["umount", "-R", "-l", "-q", str(folder)], check=False)
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12g,mode=0755", "tmpfs", str(folder)],
                   check=True)


def disk_bytes(folder):
    """What the files below have on the disk, without their holes."""
    return sum(512 * os.lstat(os.path.join(parent, name)).st_blocks
               for parent, _, names in os.walk(folder) for name in names)


class Delivery:
    def __init__(self, bench, image, name="delivery"):
        """`image` is a seed in the registry: HOST/NAME. What comes is kept below `name`."""
        self.bench = bench
        self.image = image
        self.harness = bench.harness
        # In memory, for whoever makes a file of each file: disks take minutes to forget those.
        self.folder = bench.scratch / name
        self.cache = bench.scratch / f"{name}-cache"
        self.flake = f"{bench.options.app}#nothing-of-this-name"

    def fresh(self):
        in_memory(self.folder)
        # What a build writes has names that only root may list.
        subprocess.run(["rm", "-rf", str(self.cache)], check=True)

    def fetch_json(self, digest_or_tag):
        host, name = self.image.split("/", 1)
        request = urllib.request.Request(f"http://{host}/v2/{name}/manifests/{digest_or_tag}",
                                         headers={"Accept": ", ".join(MEDIA)})
        return json.load(urllib.request.urlopen(request))

    def layers(self, digest_or_tag="latest"):
        manifest = self.fetch_json(digest_or_tag)
        if "manifests" in manifest:
            manifest = self.fetch_json(manifest["manifests"][0]["digest"])
        return manifest["layers"]

    @staticmethod
    def refused(*command):
        """The command, which has to fail with Nix's word that the attribute is not there."""
        script = 'out=$("$@" 2>&1) && exit 1; case $out in *"does not"*) ;; *) echo "$out"; exit 1; esac'
        return [["sh", "-c", script, "ask", *command]]

    def cached_bytes(self):
        """Of layers that have come by now."""
        return disk_bytes(self.cache / "layers")

    def nix_seed(self, delivery):
        cache = self.cache if delivery == "mount" else self.folder / "cache"
        return self.harness.run(self.refused(
            "env", f"NIX_SEED_CACHE={cache}", self.bench.options.nix_seed, "build", self.flake,
            "--no-link", "--require-seed", "--insecure", "--registry", self.image, "--delivery",
            delivery))

    def fill(self):
        """Reads the whole seed through the mount, so that the cache has all of it."""
        self.harness.run([["env", f"NIX_SEED_CACHE={self.cache}", self.bench.options.nix_seed, "run",
                           "--flake", self.bench.options.app, "--insecure", "--registry", self.image,
                           "--delivery", "mount", "--command",
                           "find /nix/store -type f -exec cat {} + > /dev/null"]])

    def podman(self, *pipelines):
        (self.folder / "containers.conf").write_text(
            '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=32768:32768"]\n'
            '[engine]\nruntime = "runc"\ncgroup_manager = "cgroupfs"\nevents_logger = "none"\n')
        (self.folder / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{self.folder}/graph"\n'
            f'runroot = "{self.folder}/run"\n')
        with_settings = ["env", f"CONTAINERS_CONF={self.folder}/containers.conf",
                         f"CONTAINERS_STORAGE_CONF={self.folder}/storage.conf", "podman"]
        return self.harness.run(*([with_settings + one] if one[0] == "pull" else
                                  self.refused(*with_settings, *one) for one in pipelines))

    @staticmethod
    def pull_of(image):
        return ["pull", "-q", "--tls-verify=false", image]

    def podman_whole(self):
        return self.podman(self.pull_of(f"{self.image}:latest"), self.podman_ask())

    def podman_ask(self):
        app = self.bench.options.app
        return ["run", "--rm", "--network", "none", "--volume", f"{app}:{app}:ro", "--entrypoint",
                "/bin/nix", f"{self.image}:latest", *ASK, self.flake]

    def fetch(self, layers):
        """A plain download of the blobs in parallel, largest first."""
        host, name = self.image.split("/", 1)
        blobs = self.folder / "blobs"
        blobs.mkdir()
        config = self.folder / "curl"
        config.write_text("".join(
            f'url = "http://{host}/v2/{name}/blobs/{layer["digest"]}"\n'
            f'output = "{blobs}/{layer["digest"][7:]}"\n'
            for layer in sorted(layers, key=lambda layer: -layer["size"])))
        return self.harness.run([["curl", "-sfZ", "--parallel-max", str(CONNECTIONS), "-K",
                                  str(config)]])

    def limits(self, layers):
        """What no way can leave out, each alone and on all cores: fetching, hashing, decoding."""
        fetch = self.fetch(layers)
        blobs = self.folder / "blobs"
        names = f"ls -S {blobs}/* | xargs -n 1 -P {CORES}"
        decode = self.harness.run([["sh", "-c", f"{names} zstd -dqc > /dev/null"]])
        digest = self.harness.run([["sh", "-c", f"{names} openssl dgst -sha256"]])
        return fetch, decode, digest

    def run(self):
        layers = self.layers()
        size = sum(layer["size"] for layer in layers)

        def add(name, sample: Sample):
            sample.bytes = size
            self.bench.add(f"delivery: {name}", sample)

        self.fresh()
        for name, sample in zip(("fetch", "zstd -d", "sha256 of the blobs"), self.limits(layers)):
            add(f"limit: {name}", sample)
        for delivery in ("mount", "unpack"):
            self.fresh()
            add(f"nix-seed, {delivery}", self.nix_seed(delivery))
            add(f"nix-seed, {delivery}, again", self.nix_seed(delivery))
        self.fresh()
        add("podman pull, podman run", self.podman_whole())
        add("podman run, pulled before", self.podman(self.podman_ask()))
        self.fresh()
