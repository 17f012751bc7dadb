"""What people use today to bring a closure to a machine, each until Nix has answered once.

Every way gets its files from a plain file server, which spares it the registry's round trips, and
starts on a machine that has its programs already, also where that is Nix. Files are written to memory,
not to the disk.
"""
import hashlib
import subprocess

from delivery import ASK, Delivery, in_memory
from harness import CORES
from links import HERE

# As 0compute/nix-seed makes it.
SQUASHFS = ["-all-root", "-no-hardlinks", "-no-xattrs", "-comp", "zstd", "-Xcompression-level", "9"]

MOUNT_SQUASHFS = """
mkdir -p lower upper work nix/store
fetch store.squashfs 4
openssl dgst -sha256 store.squashfs | grep -q "$digest"
mount -t squashfs -o loop,ro store.squashfs lower
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work nix/store
mount --rbind nix /nix
"$nix/nix-store" --load-db < /nix/store/registration
"""
RESTORE_TAR = """
mkdir -p nix/store
fetch store.tar.zst 8
tar -C nix/store --use-compress-program 'zstd -d --long=30' -xf store.tar.zst
mount --bind nix /nix
"$nix/nix-store" --load-db < /nix/store/registration
"""
NIX_COPY = """
xargs -a "$list" nix copy --no-check-sigs --option http-connections 50 --option fsync-metadata false \
  --from "$url/COMPRESSION" --to "local?root=$PWD"
mount --bind nix /nix
"""


class Peers:
    def __init__(self, bench):
        self.bench = bench
        self.folder = bench.scratch / "peers"
        self.files = self.folder / "files"
        self.work = self.folder / "work"
        self.flake = f"{bench.options.app}#nothing-of-this-name"

    def prepare(self):
        """Makes the files to fetch; what that takes is measured elsewhere."""
        self.files.mkdir(parents=True)
        names = sorted(self.bench.paths)
        paths = [f"/nix/store/{name}" for name in names]
        (self.folder / "list").write_text("\n".join(paths) + "\n")
        registration = self.folder / "registration"
        with open(registration, "wb") as out:
            subprocess.run(["nix-store", "--dump-db", *paths], stdout=out, check=True)
        subprocess.run(["mksquashfs", *paths, str(registration), str(self.files / "store.squashfs"),
                        *SQUASHFS, "-quiet", "-no-progress"], check=True, stdout=subprocess.DEVNULL)
        with open(self.files / "store.squashfs", "rb") as file:
            self.digest = hashlib.file_digest(file, "sha256").hexdigest()
        tar = subprocess.Popen(["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner",
                                "-C", "/nix/store", "-c", *names, "-C", str(self.folder),
                                "registration"], stdout=subprocess.PIPE)
        subprocess.run(["zstd", "-q", "-3", f"-T{CORES}", "--long=30", "-o",
                        str(self.files / "store.tar.zst")], stdin=tar.stdout, check=True)
        if tar.wait():
            raise OSError("tar failed")
        for compression in ("zstd", *(["xz"] if self.bench.options.xz else [])):
            store = f"file://{self.files}/{compression}?compression={compression}"
            subprocess.run(["nix", "copy", "--to", f"{store}&parallel-compression=true", *paths],
                           check=True, stderr=subprocess.DEVNULL)
        self.nix = next(path for path in paths
                        if subprocess.run(["test", "-x", f"{path}/bin/nix-store"]).returncode == 0)

    def ask(self, port, steps):
        in_memory(self.work)
        script = f"""
fetch() {{ python3 -IS '{HERE}/fetch_ranges.py' "$url/$1" "$1" "$2"; }}
url=http://127.0.0.1:{port} nix={self.nix}/bin digest={self.digest} list={self.folder}/list
export XDG_CACHE_HOME="$PWD/cache"
{steps}
exec "$nix/nix" "$@"
"""
        return self.bench.harness.run(
            Delivery.refused("unshare", "--mount", "--propagation", "private", "sh", "-ec", script,
                             "peer", *ASK, self.flake), cwd=self.work)

    def run(self, port):
        """Name, bytes fetched and sample of each way, through the port."""
        size = {name: (self.files / name).stat().st_size
                for name in ("store.squashfs", "store.tar.zst")}
        yield "squashfs pulled whole, mounted, load-db", size["store.squashfs"], self.ask(port, MOUNT_SQUASHFS)
        yield "tar.zst restored, load-db", size["store.tar.zst"], self.ask(port, RESTORE_TAR)
        for compression in ("zstd", *(["xz"] if self.bench.options.xz else [])):
            sent = sum(file.stat().st_size for file in (self.files / compression).rglob("*"))
            steps = NIX_COPY.replace("COMPRESSION", compression)
            yield f"nix copy, {compression}", sent, self.ask(port, steps)
        in_memory(self.work)
