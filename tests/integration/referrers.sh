# shellcheck shell=bash disable=SC2034,SC2154
# A registry with the referrers API. Debian's docker-registry has none, and neither has version 3 of
# the same.

# start_referrers_registry: sets $registry to its address; ends with the test.
start_referrers_registry() {
  local version=v0.0.0-20251212221603-3adeb8663819 program port
  program=$cache/bin/referrers-registry-$version
  if [[ ! -x $program ]]; then
    command -v go > /dev/null || need_packages golang-go
    warn '  installing a registry with the referrers API'
    mkdir -p "$cache/bin"
    cp -r "$checkout/tests/integration/referrers_registry" "$scratch/referrers-registry"
    (
      cd "$scratch/referrers-registry"
      go mod init example.test/registry
      go get "cuelabs.dev/go/oci/ociregistry@$version"
      go build -o registry .
    ) > "$scratch/go.log" 2>&1 || {
      tail -n 5 "$scratch/go.log" >&2
      skip 'the registry can not be built; it needs Go 1.24 or later and the Go module proxy'
    }
    mv "$scratch/referrers-registry/registry" "$program"
  fi
  port=$(free_port)
  "$program" "127.0.0.1:$port" > "$scratch/referrers-registry.log" 2>&1 &
  started+=("$!")
  registry=127.0.0.1:$port
  wait_for_port "$port" || fail 'the registry with the referrers API did not start'
}
