# The cases of seed-cfg.nix as data, for the program that reads the same sets:
# tests/golden/seed_cfg_cases.json.
let
  lib = import ../../lib;
in
map (case: {
  inherit (case) name given;
  # What is wrong with the set; null where nothing is, and then `value` is what it says.
  problem = lib.problems.seedCfg case.given;
  value = if lib.problems.seedCfg case.given == null then lib.mkSeedCfg case.given else null;
}) (builtins.filter (case: case ? given) (import ./seed-cfg.nix { inherit lib; }))
