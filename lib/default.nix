# What the flake offers as `lib`.  Nothing here needs nixpkgs.
let
  mkSeed = import ./mk-seed.nix;
  mkSeedCfg = import ./seed-cfg.nix;
in
{
  # Control over what a seed holds: see ./mk-seed.nix.
  mkSeed = mkSeed.make;

  # The flake's `seedCfg`, checked: see ./seed-cfg.nix.
  mkSeedCfg = mkSeedCfg.make;

  # The same for lib.evalModules and what is built on it.
  seedCfgModule = ./seed-cfg-module.nix;

  # For tests and documentation: the tables of options, and what is wrong with arguments (null or a
  # message) without throwing it.
  options = {
    mkSeed = mkSeed.options;
    seedCfg = mkSeedCfg.options;
  };
  problems = {
    mkSeed = mkSeed.problem;
    seedCfg = mkSeedCfg.problem;
  };
}
