# Every case of mk-seed.nix and seed-cfg.nix: the list of those that fail, in words.
{
  lib ? import ../../lib,
}:
let
  cases =
    import ./mk-seed.nix { inherit lib; }
    ++ import ./seed-cfg.nix { inherit lib; }
    ++ import ./module.nix { inherit lib; };
in
map
  (case: "${case.name}\n  wanted ${builtins.toJSON case.want}\n  got    ${builtins.toJSON case.got}")
  (builtins.filter (case: case.got != case.want) cases)
