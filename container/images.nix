# Outputs of a flake that is an image: `image` makes mkSeed's arguments out of a package set.
{ nixpkgs, image }:
let
  inherit (import ../lib) mkSeed;
in
{
  packages = builtins.mapAttrs (_: pkgs: { seed = mkSeed (image pkgs); }) {
    inherit (nixpkgs.legacyPackages) x86_64-linux aarch64-linux;
  };
}
