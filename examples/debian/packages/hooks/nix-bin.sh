# shellcheck shell=dash disable=SC2154
# Debian's Nix looks for its build hook in /usr/lib/nix; later ones beside the libraries.
hooks=$out/libexec
if [ -e "$out/lib/nix/build-remote" ]; then hooks=$out/lib; fi
wrap nix "NIX_LIBEXEC_DIR=$hooks"
