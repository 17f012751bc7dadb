# shellcheck shell=bash disable=SC2034
# Shared by scripts/demo, scripts/test and tests/integration: messages, packages, a private /nix.

checkout=$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() {
  warn "${0##*/}: $*"
  exit 1
}

seconds_since() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }'; }

# ---- packages of the distribution ----------------------------------------------------------------

build_packages=(ca-certificates ccache cmake g++ git libcurl4-openssl-dev libcxxopts-dev libfmt-dev
  libgit2-dev libsqlite3-dev libssl-dev libzstd-dev mold ninja-build nlohmann-json3-dev pkgconf
  python3 zlib1g-dev)
static_packages=(dpkg-dev patch perl xz-utils) # what scripts/deps needs besides
cross_packages=(g++-aarch64-linux-gnu qemu-user-static) # to build for the other system, and run it
fuzz_packages=(clang-19 libclang-rt-19-dev)
example_packages=(git jq python3 util-linux)
test_packages=(apache2-utils busybox-static catch2 clang-format-19 curl docker-registry
  libarchive-tools openssl patchelf podman runc shellcheck skopeo sqlite3 strace sudo umoci zstd)

as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; else sudo "$@"; fi
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]] ||
    # another package may stand in for it, as pkg-config and pkgconf do for each other
    { [[ $1 == pkgconf ]] && command -v pkg-config >/dev/null; }
}

# Installs what is missing of the named packages, and says so; quiet where nothing is.
need_packages() {
  local name missing=()
  for name in "$@"; do
    is_installed "$name" || missing+=("$name")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  command -v apt-get >/dev/null ||
    die "these packages are missing, and this is no Debian or Ubuntu: ${missing[*]}"
  say "installing: ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { [[ -n $(find /var/lib/apt/lists -name '*Packages*' -print -quit 2>/dev/null) ]] ||
    as_root apt-get update -qq; } >"$log" 2>&1 ||
    ! as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      "${missing[@]}" >>"$log" 2>&1 </dev/null; then
    # an index that is out of date names files the archive no longer has
    as_root apt-get update -qq >>"$log" 2>&1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      "${missing[@]}" >>"$log" 2>&1 </dev/null || {
      tail -n 20 "$log" >&2
      die "installing packages failed; the whole log is $log"
    }
  fi
  rm -f "$log"
}

# ---- nix-seed ------------------------------------------------------------------------------------

# One file for any Linux, as people get it: seeds carry it into containers that have no libraries.
static_nix_seed=$checkout/build/release-static/nix-seed

# build_static_for ARCH: for another machine than this one, into build/release-static-ARCH.
build_static_for() {
  local arch=$1 deps=${NIX_SEED_DEPS:-$checkout/.deps} preset=release-static options=(--arch "$1")
  if [[ $arch != "$(uname -m)" ]]; then
    if [[ -e $deps/.stamp ]]; then options+=(--lock "$deps/versions.txt" --sources "$deps/src"); fi
    deps+=/$arch preset+=-$arch
  fi
  "$checkout/scripts/deps" "${options[@]}" "$deps"
  (cd "$checkout" && cmake --preset "$preset" -DNIX_SEED_DEPS="$deps")
  cmake --build "$checkout/build/$preset" --target nix-seed
}

build_static_nix_seed() { build_static_for "$(uname -m)"; }

# Any Nix with flakes will do; the distribution's where there is none.
need_nix() {
  command -v nix >/dev/null || need_packages nix-bin
  command -v nix >/dev/null || die "there is no Nix, and the package nix-bin brought none"
}

# ---- a /nix of one's own -------------------------------------------------------------------------

# Where Nix is run: `private` has its own /nix in a mount namespace, over a folder; `machine` uses
# the machine's, which is all that an ordinary user can do.
nix_mode() {
  if [[ $EUID -eq 0 ]]; then echo private; else echo machine; fi
}

# How `sandbox = true` finds a shell: Nix as distributions package it has none of its own.
sandbox_shell() {
  local busybox
  busybox=$(command -v busybox) || return 0
  case $(nix_mode) in
  private) echo "sandbox-paths = /bin/sh=$(realpath "$busybox")" ;;
  esac
}

# use_nix FOLDER: prepares FOLDER to stand in for /nix; in_nix then runs commands there.
use_nix() {
  nix_folder=$1
  export NIX_CONFIG="experimental-features = nix-command flakes
flake-registry ="
  [[ $(nix_mode) == private ]] || return 0
  mkdir -p "$nix_folder"
  if [[ ! -d /nix ]]; then mkdir /nix; fi # an empty folder to mount over
  NIX_CONFIG+="
substituters =
build-users-group =
sandbox = true
$(sandbox_shell)"
  unset NIX_REMOTE NIX_PATH
}

# Runs a command with the private /nix.  A Nix that itself lives in /nix stays visible below an
# overlay, and is not written to; so does $nix_lower, a folder that several runs share.
in_nix() {
  if [[ $(nix_mode) == machine ]]; then
    "$@"
    return
  fi
  local lower=${nix_lower:-}
  if [[ -z $lower && $(realpath "$(command -v nix)") == /nix/* ]]; then lower=/nix; fi
  # shellcheck disable=SC2016
  XDG_CACHE_HOME="$nix_folder/.cache" unshare --mount --propagation private bash -c '
    set -e
    if [ -n "$1" ]; then
      mkdir -p "$0/upper" "$0/work"
      mount -t overlay overlay -o "lowerdir=$1,upperdir=$0/upper,workdir=$0/work" /nix
    else
      mount --bind "$0" /nix
    fi
    shift
    exec "$@"' "$nix_folder" "$lower" "$@"
}
