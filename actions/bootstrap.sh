#!/bin/sh
# usage: bootstrap.sh COMMAND...
#
# Runs the nix-seed that the file `pins` beside this script names for this machine, and nothing whose
# SHA-256 is not the one there.  In this order: $NIX_SEED_BIN, which whoever sets it answers for;
# /bin/nix-seed of a seed or of the runtime image; the tool cache; the pin's URL.  Needs a shell, one
# of sha256sum, shasum and openssl, and for a download curl or wget.
set -eu

pins=$(dirname "$0")/pins
no_pin='this tree of nix-seed has no released program'

# die CODE MESSAGE: one line, as an annotation where the host shows those.
die() {
  if [ "${GITHUB_ACTIONS:-}" = true ]; then
    printf '::error title=nix-seed::%s\n' "$(printf '%s' "$2" | tr '\r\n' '  ' | sed 's/%/%25/g')" >&2
  else
    printf 'nix-seed: %s\n' "$2" >&2
  fi
  exit "$1"
}

say() { printf 'nix-seed: %s\n' "$1" >&2; }

digest_of() {
  if command -v sha256sum > /dev/null; then
    sha256sum < "$1" | cut -d ' ' -f 1
  elif command -v shasum > /dev/null; then
    shasum -a 256 < "$1" | cut -d ' ' -f 1
  elif command -v openssl > /dev/null; then
    openssl dgst -sha256 -r < "$1" | cut -d ' ' -f 1
  else
    echo unknown
  fi
}

is_pinned() { [ -f "$1" ] && [ "$(digest_of "$1")" = "$sha256" ]; }

this_os() {
  case ${RUNNER_OS:-$(uname -s)} in
  Linux) echo Linux ;;
  macOS | Darwin) echo macOS ;;
  *) echo "${RUNNER_OS:-$(uname -s)}" ;;
  esac
}

this_arch() {
  case ${RUNNER_ARCH:-$(uname -m)} in
  X64 | x86_64 | amd64) echo X64 ;;
  ARM64 | aarch64 | arm64) echo ARM64 ;;
  *) echo "${RUNNER_ARCH:-$(uname -m)}" ;;
  esac
}

# Sets version, sha256 and url to those of this machine.
read_pin() {
  known='' version=''
  while read -r pin_os pin_arch pin_version pin_sha256 pin_url; do
    case $pin_os in '' | '#'*) continue ;; esac
    known="$known $pin_os/$pin_arch"
    if [ "$pin_os/$pin_arch" = "$os/$arch" ]; then
      version=$pin_version sha256=$pin_sha256 url=$pin_url
    fi
  done < "$pins"
  [ -n "$known" ] ||
    die 2 "$no_pin: use a released version (@v1), or build one and set NIX_SEED_BIN, or the input bin, to its path"
  [ -n "$version" ] || die 2 "there is no released program for $os/$arch; there is for:$known"
}

# fetch FILE: from $url, trying three times.
fetch() {
  for wait in 1 3 0; do
    if command -v curl > /dev/null; then
      curl -fsSL --connect-timeout 20 --max-time 300 -o "$1" "$url" && return 0
    elif command -v wget > /dev/null; then
      wget -q -O "$1" "$url" && return 0 # with -T, busybox 1.35 crashes
    else
      die 2 "there is neither curl nor wget here to get $url; install one, or set NIX_SEED_BIN"
    fi
    sleep "$wait"
  done
  return 1
}

# The first folder of those where tools may be kept that can be written to.
tool_folder() {
  for parent in "${RUNNER_TOOL_CACHE:-}" "${XDG_CACHE_HOME:-}" "${HOME:+$HOME/.cache}" "${RUNNER_TEMP:-}" "${TMPDIR:-/tmp}"; do
    folder=$parent/nix-seed/$version/$arch
    if [ -n "$parent" ] && mkdir -p "$folder" 2> /dev/null && [ -w "$folder" ]; then
      echo "$folder"
      return
    fi
  done
  die 2 "no folder can be written to, to keep a program in; set RUNNER_TOOL_CACHE"
}

# Another process sees either no file or a whole one that was checked.
download() {
  part=$1.$$
  trap 'rm -f "$part"' EXIT INT TERM
  say "getting nix-seed $version for $os/$arch"
  fetch "$part" || die 5 "$url can't be had after three tries; the lines above say why"
  if ! is_pinned "$part"; then
    die 3 "$url is not what this version of the action was released with: its SHA-256 is $(digest_of "$part"), not $sha256; it was not run"
  fi
  chmod 755 "$part"
  mv -f "$part" "$1"
}

if [ -n "${NIX_SEED_BIN:-}" ]; then
  { [ -f "$NIX_SEED_BIN" ] && [ -x "$NIX_SEED_BIN" ]; } ||
    die 2 "NIX_SEED_BIN is '$NIX_SEED_BIN', which is no program"
  exec "$NIX_SEED_BIN" "$@"
fi

os=$(this_os) arch=$(this_arch)
read_pin
[ "$(digest_of /dev/null)" != unknown ] ||
  die 2 'there is none of sha256sum, shasum and openssl here, so no program can be checked; install coreutils'
if is_pinned /bin/nix-seed; then
  exec /bin/nix-seed "$@"
fi
program=$(tool_folder)/nix-seed
is_pinned "$program" || download "$program"
exec "$program" "$@"
