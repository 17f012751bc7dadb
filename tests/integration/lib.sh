# shellcheck shell=bash disable=SC2034,SC2154
# What integration tests stand on: the example, a private /nix, registries, container runtimes, a
# second Nix.  A test file defines functions `test_*`, each run by `run` in a process of its own
# with an empty folder $scratch; what a test starts ends with it.

# shellcheck source=scripts/common.sh
source "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../../scripts/common.sh"
# shellcheck source=tests/integration/seed.sh
source "$checkout/tests/integration/seed.sh"
# shellcheck source=tests/integration/node.sh
source "$checkout/tests/integration/node.sh"
# shellcheck source=tests/integration/release.sh
source "$checkout/tests/integration/release.sh"
# shellcheck source=tests/integration/packages.sh
source "$checkout/tests/integration/packages.sh"
# shellcheck source=tests/integration/go.sh
source "$checkout/tests/integration/go.sh"
# shellcheck source=tests/integration/act.sh
source "$checkout/tests/integration/act.sh"
# shellcheck source=tests/integration/sigstore.sh
source "$checkout/tests/integration/sigstore.sh"
# shellcheck source=tests/integration/builders.sh
source "$checkout/tests/integration/builders.sh"
# shellcheck source=tests/integration/referrers.sh
source "$checkout/tests/integration/referrers.sh"

# Whatever runs the tests, nix-seed is on a person's machine unless a test says otherwise.
unset CI GITHUB_ACTIONS FORGEJO_ACTIONS GITEA_ACTIONS GITLAB_CI BUILDKITE CIRCLECI TF_BUILD JENKINS_URL

cache=${NIX_SEED_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nix-seed-test}
nix_seed=${NIX_SEED:-$static_nix_seed}

# ---- verdicts ------------------------------------------------------------------------------------

fail() {
  warn "  $*"
  exit 1
}

skip() {
  warn "  $*"
  exit 77
}

# expect_equal WHAT EXPECTED ACTUAL
expect_equal() { [[ $2 == "$3" ]] || fail "$1: expected '$2', got '$3'"; }

# expect_exit CODE COMMAND...: runs it into $scratch/out and $scratch/err
expect_exit() {
  local want=$1 got=0
  shift
  "$@" > "$scratch/out" 2> "$scratch/err" < /dev/null || got=$?
  [[ $got -eq $want ]] || {
    tail -n 20 "$scratch/err" >&2
    fail "exit code of '$*': expected $want, got $got"
  }
}

# expect_text FILE TEXT: the file has the text somewhere
expect_text() {
  grep -qF -- "$2" "$1" || {
    tail -n 20 "$1" >&2
    fail "'$2' is not in ${1##*/}"
  }
}

need() {
  local program
  for program in "$@"; do
    command -v "$program" > /dev/null || skip "there is no $program on this machine"
  done
}

# ---- the example ---------------------------------------------------------------------------------

# example small|full: prepares $example (app, packages, lock.json) and a /nix that has it built, as
# of a cache that later runs reuse.  The test writes to neither.
example() {
  local variant=$1 key built
  local options=()
  [[ $variant == full ]] || options=(--small)
  [[ $(nix_mode) == private ]] || skip "a private /nix needs root"
  key=$(cd "$checkout" && find examples/debian lib flake.nix -type f | LC_ALL=C sort |
    xargs sha256sum | sha256sum | cut -c1-12)
  built=$cache/$variant-$key
  mkdir -p "$cache"
  exec 8> "$cache/$variant.lock"
  flock 8
  if [[ ! -e $built/done ]]; then
    rm -rf "$cache/$variant"-* "$built"
    nix_lower='' # of an example that the test prepared before
    use_nix "$built/nix"
    SEED_EXAMPLE_DEBS=$cache/debs in_nix "$checkout/examples/debian/setup" "${options[@]}" "$built" >&2
    local outputs=("$built/app")
    [[ $variant != full ]] || outputs+=("$built/app#seed")
    in_nix nix build --no-link "${outputs[@]}" >&2
    touch "$built/done"
  fi
  flock -u 8
  nix_lower=$built/nix
  use_nix "$scratch/nix"
  example=$scratch/app
  packages=$built/packages
  cp -a "$built/app" "$example"
  export SEED_EXAMPLE_DEBS=$cache/debs
  export NIX_SEED_CACHE=$scratch/cache
}

# Changes one line of the application, as a developer does.
change_application() {
  if [[ -e $example/main.cpp ]]; then
    sed -i 's/"crc32 "/"checksum "/' "$example/main.cpp"
  else
    echo "${1:-changed}" > "$example/greeting.txt"
  fi
}

# Names of the derivations that a log of Nix says were built.
built_in() {
  sed -n "s,.*building '/nix/store/[a-z0-9]\{32\}-\(.*\)\.drv'.*,\1,p" "$1" | sort -u
}

# ---- registry ------------------------------------------------------------------------------------

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# start_registry NAME [USER PASSWORD]: sets $registry to its address; ends with the test.
start_registry() {
  need docker-registry
  local folder=$scratch/registry-$1 port
  port=$(free_port)
  mkdir -p "$folder/data"
  {
    echo 'version: 0.1'
    echo 'log: {level: warn}'
    echo "storage: {filesystem: {rootdirectory: $folder/data}, delete: {enabled: true}}"
    echo "http: {addr: '127.0.0.1:$port'}"
    if [[ $# -eq 3 ]]; then
      htpasswd -Bbn "$2" "$3" > "$folder/htpasswd"
      echo "auth: {htpasswd: {realm: test, path: $folder/htpasswd}}"
    fi
  } > "$folder/config.yml"
  docker-registry serve "$folder/config.yml" > "$folder/log" 2>&1 &
  registry_pid=$!
  started+=("$registry_pid")
  registry=127.0.0.1:$port
  wait_for_port "$port" || {
    cat "$folder/log" >&2
    fail "the registry did not start"
  }
}

wait_for_port() {
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    if (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; then return 0; fi
    sleep 0.1
  done
  return 1
}

started=()
stop_started() {
  local pid
  for pid in "${started[@]}"; do kill "$pid" 2> /dev/null || true; done
  stop_services
}

# ---- container tools -----------------------------------------------------------------------------

# Podman with folders of its own, and limits that a machine without CAP_SYS_RESOURCE can keep.
use_podman() {
  need podman runc
  local folder=$scratch/podman
  mkdir -p "$folder"
  cat > "$folder/containers.conf" <<CONF
[containers]
default_ulimits = ["nofile=$(ulimit -Hn | sed 's/unlimited/65536/'):$(ulimit -Hn | sed 's/unlimited/65536/')", "nproc=32768:32768"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "none"
CONF
  cat > "$folder/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$folder/graph"
runroot = "$folder/run"
CONF
  # podman refuses to pull without a policy
  mkdir -p "$folder/home/.config/containers"
  echo '{"default": [{"type": "insecureAcceptAnything"}]}' > "$folder/home/.config/containers/policy.json"
  export CONTAINERS_CONF=$folder/containers.conf CONTAINERS_STORAGE_CONF=$folder/storage.conf
}
podman_() { HOME=$scratch/podman/home podman "$@"; }

# crane, as the referee of what we push: its newest release that Debian 12's Go can build.
use_crane() {
  local version=v0.20.2
  crane=$cache/bin/crane-$version
  [[ ! -x $crane ]] || return 0
  command -v go > /dev/null || need_packages golang-go
  warn "  installing crane"
  GOBIN=$scratch/bin go install "github.com/google/go-containerregistry/cmd/crane@$version" > "$scratch/go.log" 2>&1 || {
    tail -n 5 "$scratch/go.log" >&2
    skip "crane can't be installed; it needs Go 1.18 or later and the Go module proxy"
  }
  mkdir -p "$cache/bin"
  mv "$scratch/bin/crane" "$crane"
}

# ---- a second Nix --------------------------------------------------------------------------------

# use_current_nix: sets $current_nix to a bin folder with the Nix of a newer distribution, unpacked
# beside this one's and run with its own C library.
use_current_nix() {
  local suite=${NIX_SEED_TEST_SUITE:-trixie}
  local folder=$cache/nix-$suite lock
  current_nix=$folder/bin
  [[ ! -e $folder/done || ! -x $current_nix/nix ]] || return 0
  need patchelf
  # Tests of another process may want it at the same time.
  mkdir -p "$cache"
  exec {lock}> "$folder.lock"
  flock "$lock"
  if [[ ! -e $folder/done || ! -x $current_nix/nix ]]; then
    rm -rf "$folder"
    mkdir -p "$folder"/{bin,lib}
    unpack_packages "$suite" "$folder/root" nix-bin libc6
    bundle_nix "$folder"
    rm -rf "$folder/root"
    touch "$folder/done"
  fi
  exec {lock}>&-
}

# bundle_nix FOLDER: from FOLDER/root, a nix in FOLDER/bin that loads FOLDER/lib.
bundle_nix() {
  local folder=$1 loader library name
  loader=$(patchelf --print-interpreter "$folder/root/usr/bin/nix")
  find "$folder/root/usr/lib" -name '*.so*' \( -type f -o -type l \) -path '*linux-gnu*' \
    -exec cp -Lf {} "$folder/lib/" \; 2> /dev/null || true
  cp -L "$folder/root/usr/bin/nix" "$folder/bin/nix"
  for library in "$folder"/lib/*.so*; do
    case ${library##*/} in
    ld-linux* | libc.so*) ;;
    *) patchelf --set-rpath "$folder/lib" "$library" 2> /dev/null || true ;;
    esac
  done
  patchelf --set-interpreter "$folder/lib/${loader##*/}" --set-rpath "$folder/lib" "$folder/bin/nix"
  for name in nix-build nix-store nix-instantiate nix-hash nix-shell nix-env; do
    ln -sf nix "$folder/bin/$name"
  done
}

with_current_nix() { PATH=$current_nix:$PATH "$@"; }
