# shellcheck shell=bash disable=SC2034,SC2154
# A Go that is new enough.

# use_go MINOR [PATCH]: sets $go to a Go of at least that: the machine's, or that of a module, which any Go can
# download and checks against the sum database.
use_go() {
  local have system version=v0.0.1-go1.$1.${2:-4}.linux
  command -v go > /dev/null || need_packages golang-go
  go=$(command -v go)
  have=$("$go" env GOVERSION)
  ! printf 'go1.%s\n' "$1.${2:-0}" "${have#go1.}" | sort -CV || return 0
  case $(uname -m) in
  x86_64) system=amd64 ;;
  aarch64) system=arm64 ;;
  *) skip "no Go is known for $(uname -m)" ;;
  esac
  local folder
  folder=$(cd "$scratch" && GOFLAGS=-modcacherw GOMODCACHE=$cache/go "$go" mod download -json "golang.org/toolchain@$version-$system" | jq -r .Dir) ||
    skip "Go 1.$1 can't be downloaded; it needs the Go module proxy"
  chmod +x "$folder"/bin/* "$folder"/pkg/tool/*/*
  go=$folder/bin/go
}
