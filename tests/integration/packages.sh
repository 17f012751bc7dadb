# shellcheck shell=bash disable=SC2154
# Programs of another distribution, without installing them.

# unpack_packages SUITE ROOT PACKAGE...: packages of another distribution's suite, with what they
# need, below ROOT; nothing is installed.
unpack_packages() {
  local suite=$1 root=$2 apt=$scratch/apt deb
  shift 2
  command -v apt-get > /dev/null || skip "there is no apt-get on this machine"
  warn "  unpacking packages of Debian $suite"
  mkdir -p "$apt"/{state/lists/partial,cache/archives/partial} "$root"
  : > "$apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $suite main" \
    > "$apt/sources.list"
  local options=(-qq -o "Dir::State=$apt/state" -o "Dir::State::status=$apt/status"
    -o "Dir::Cache=$apt/cache" -o "Dir::Etc::sourcelist=$apt/sources.list"
    -o "Dir::Etc::sourceparts=-" -o "Dir::Etc::preferencesparts=-" -o "APT::Sandbox::User=root"
    -o "Debug::NoLocking=true" -o "APT::Update::Post-Invoke::=" -o "DPkg::Post-Invoke::=")
  { apt-get "${options[@]}" update &&
    apt-get "${options[@]}" install --download-only -y --no-install-recommends "$@"; } \
    > "$apt/log" 2>&1 < /dev/null || {
    tail -n 5 "$apt/log" >&2
    skip "packages of Debian $suite can't be downloaded"
  }
  for deb in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$deb" "$root"; done
  rm -rf "$apt"
}
