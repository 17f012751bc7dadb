# shellcheck shell=dash disable=SC2154
mkdir -p "$out/etc/ssl/certs"
cat "$out"/share/ca-certificates/mozilla/*.crt > "$out/etc/ssl/certs/ca-certificates.crt"
