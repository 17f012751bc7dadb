# shellcheck shell=bash disable=SC2034,SC2154
# Running nix-seed on the example.

use_nix_seed() {
  [[ -x $nix_seed && $("$nix_seed" --version 2> /dev/null) == nix-seed* ]] ||
    skip "there is no nix-seed at $nix_seed; build it, or name one in NIX_SEED"
  [[ $(nix_mode) == private ]] || skip "a private /nix needs root"
}

show_end() {
  tail -n 20 "$1" >&2
  fail "$2"
}

# seed_example OPTION...: into $scratch/seed.json; an image layout where no --registry is given.
seed_example() {
  local options=("$@")
  [[ " $* " == *' --registry '* ]] || options+=(--registry "oci:$scratch/registry")
  in_nix "$nix_seed" seed "$example" --json "${options[@]}" > "$scratch/seed.json" 2> "$scratch/seed.log" ||
    show_end "$scratch/seed.log" 'nix-seed seed failed'
}

# build_example OPTION...: without a network, into $scratch/build.json and build.log.
build_example() {
  local options=("$@")
  [[ " $* " == *' --registry '* ]] || options+=(--registry "oci:$scratch/registry")
  in_nix unshare --net "$nix_seed" build "$example" --json --no-link "${options[@]}" \
    > "$scratch/build.json" 2> "$scratch/build.log" || show_end "$scratch/build.log" 'nix-seed build failed'
}

# The same with the network that a registry on the loopback needs.
build_example_online() {
  in_nix "$nix_seed" build "$example" --json --no-link "$@" \
    > "$scratch/build.json" 2> "$scratch/build.log" || show_end "$scratch/build.log" 'nix-seed build failed'
}

# Store paths of the seed made last, sorted.
list_seed() {
  "$nix_seed" inspect "$(jq -r .image "$scratch/seed.json")" --json | jq -r '"/nix/store/" + (.layers[].paths | keys[])' |
    LC_ALL=C sort
}

# log_in USER PASSWORD: at $registry, for what reads Docker's configuration.
log_in() {
  export DOCKER_CONFIG=$scratch/docker
  mkdir -p "$DOCKER_CONFIG"
  jq -n --arg at "$registry" --arg auth "$(printf '%s:%s' "$1" "$2" | base64 -w0)" \
    '{auths: {($at): {auth: $auth}}}' > "$DOCKER_CONFIG/config.json"
}

# fake_registry KIND: `refuse` answers everything with 403; `stall` takes the connection and never
# answers; `lie` says that it has stored what it is given, and gives other manifests back.
fake_registry() {
  local port
  port=$(free_port)
  python3 "$checkout/tests/integration/fake_registry" "$1" "$port" &
  started+=("$!")
  registry=127.0.0.1:$port
  wait_for_port "$port" || fail 'the fake registry did not start'
}
