# shellcheck shell=bash disable=SC2034,SC2154
# A release of this tree that nobody publishes.

# make_release: a copy of this tree in $tree, released as v$version of $nix_seed, whose programs a
# server on the loopback has in $served; sets $server_pid.
make_release() {
  use_nix_seed
  need git curl
  local port
  tree=$scratch/tree served=$scratch/served
  version=$(sed -n 's/^project(nix-seed VERSION \([0-9.]*\) .*/\1/p' "$checkout/CMakeLists.txt")
  port=$(free_port)
  mkdir -p "$served/v$version" "$tree"
  git -C "$checkout" ls-files -z --cached --others --exclude-standard | (cd "$checkout" && tar -c --null -T -) | tar -x -C "$tree"
  export GIT_CONFIG_COUNT=3 GIT_CONFIG_KEY_0=user.name GIT_CONFIG_VALUE_0=releaser \
    GIT_CONFIG_KEY_1=user.email GIT_CONFIG_VALUE_1=releaser@example.invalid \
    GIT_CONFIG_KEY_2=commit.gpgsign GIT_CONFIG_VALUE_2=false
  git -C "$tree" init -q -b main
  git -C "$tree" add -A
  git -C "$tree" commit -qm tree
  mkdir "$scratch/programs"
  cp "$nix_seed" "$scratch/programs/nix-seed-$(uname -m)-linux"
  export NIX_SEED_TREE=$tree NIX_SEED_PROGRAMS=$scratch/programs NIX_SEED_RELEASES=http://127.0.0.1:$port
  "$checkout/scripts/release" prepare "$version" "$served/v$version" > "$scratch/release.log"
  python3 -m http.server --bind 127.0.0.1 --directory "$served" "$port" > "$scratch/server.log" 2>&1 &
  server_pid=$!
  started+=("$server_pid")
  wait_for_port "$port" || fail 'the file server did not start'
}
