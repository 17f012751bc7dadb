# `seedCfg` as an option for lib.evalModules, and for what is built on it.  Modules merge here; the
# result is what mkSeedCfg makes of it, with the same checks.
{ lib, ... }:
let
  seedCfg = import ./seed-cfg.nix;

  # Each option may be left out; mkSeedCfg says what is right, and names it in the same words
  # with modules or without.
  optional =
    option:
    lib.mkOption {
      description = option.doc;
      default = null;
      example = lib.literalExpression or lib.literalExample option.example;
      type = lib.types.nullOr (
        if option.list or false then lib.types.listOf lib.types.anything else lib.types.anything
      );
    };

  below =
    prefix:
    lib.mapAttrs' (name: option: lib.nameValuePair (lib.removePrefix prefix name) (optional option)) (
      lib.filterAttrs (name: _: lib.hasPrefix prefix name) seedCfg.options
    );

  given = lib.filterAttrs (_: value: value != null);
in
{
  options.seedCfg = lib.mkOption {
    description = "Where seeds are kept, and whose builds of them count.";
    default = { };
    type = lib.types.submodule {
      options = {
        registry = optional seedCfg.options.registry;
        trust = optional seedCfg.options.trust;
        independent = optional seedCfg.options.independent;
        builders = lib.mkOption {
          description = seedCfg.options.builders.doc;
          default = { };
          type = lib.types.attrsOf (lib.types.submodule { options = below "builders.<name>."; });
        };
        rekor = lib.mkOption {
          description = seedCfg.options.rekor.doc;
          default = { };
          type = lib.types.submodule { options = below "rekor."; };
        };
      };
    };
    apply =
      value:
      seedCfg.make (
        given value
        // {
          builders = lib.mapAttrs (_: given) value.builders;
          rekor = given value.rekor;
        }
      );
  };
}
