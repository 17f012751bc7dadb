"""What people use today to bring a closure to a machine, each until Nix has answered once.

Every way gets its files from a plain file server, which spares it the registry's round trips, and
starts on a machine that has its programs already, also where that is Nix. Files are written to memory,
not to the disk.
"""
import hashlib
import os

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
# From the cache $1 the paths that the file $2 lists, to a store in the working folder.
COPY_FROM = """xargs -a "$2" nix copy --no-check-sigs --option http-connections 50 \
  --option fsync-metadata false --from "$1" --to "local?root=$PWD"
"""
NIX_COPY = f"""
copy() {{ {COPY_FROM} }}
copy "$url/COMPRESSION" "$list"
mount --bind nix /nix
"""


class Peers:
    def __init__(self, bench, name="peers"):
        self.bench = bench
        self.folder = bench.scratch / name
        self.files = self.folder / "files"
        self.work = self.folder / "work"
        self.flake = f"{bench.options.app}#nothing-of-this-name"

    def write_list(self, names):
        self.files.mkdir(parents=True, exist_ok=True)
        target = self.folder / "list"
        target.write_text("".join(f"/nix/store/{name}\n" for name in sorted(names)))
        return target

    def registration(self, names):
        """Writes what tells another Nix of these paths."""
        return self.bench.harness.run(
            [["xargs", "-a", str(self.write_list(names)), "nix-store", "--dump-db"]],
            output=self.folder / "registration")

    def squashfs(self, names):
        """Makes the one file of these paths; that registration is there."""
        target = self.files / "store.squashfs"
        target.unlink(missing_ok=True)  # it would be added to
        sample = self.bench.harness.run(
            [["mksquashfs", *(f"/nix/store/{name}" for name in sorted(names)),
              str(self.folder / "registration"), str(target), *SQUASHFS, "-quiet", "-no-progress"]])
        sample.bytes = target.stat().st_size
        return sample

    def tar_zst(self, names):
        target = self.files / "store.tar.zst"
        sample = self.bench.harness.run(
            [["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-C", "/nix/store", "-c",
              *sorted(names), "-C", str(self.folder), "registration"],
             ["zstd", "-q", "-3", f"-T{CORES}", "--long=30"]], output=target)
        sample.bytes = target.stat().st_size
        return sample

    def prepare(self):
        """Makes the files to fetch; what that takes is measured elsewhere."""
        names = sorted(self.bench.paths)
        self.registration(names)
        self.squashfs(names)
        with open(self.files / "store.squashfs", "rb") as file:
            self.digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.tar_zst(names)
        for compression in ("zstd", *(["xz"] if self.bench.options.xz else [])):
            self.bench.copy_to(self.files / compression, compression, names)
        self.nix = next(f"/nix/store/{name}" for name in names
                        if os.access(f"/nix/store/{name}/bin/nix-store", os.X_OK))

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
