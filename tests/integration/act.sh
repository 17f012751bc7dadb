# shellcheck shell=bash disable=SC2034,SC2154
# act, a second runner of workflows.

use_act() {
  local version=v0.2.89
  act=$cache/bin/act-$version
  [[ ! -x $act ]] || return 0
  use_go 25
  warn "  installing act"
  GOTOOLCHAIN=local GOFLAGS=-buildvcs=false GOBIN=$scratch/bin "$go" install "github.com/nektos/act@$version" > "$scratch/go.log" 2>&1 || {
    tail -n 5 "$scratch/go.log" >&2
    skip "act can't be installed; it needs the Go module proxy"
  }
  mkdir -p "$cache/bin"
  mv "$scratch/bin/act" "$act"
}
