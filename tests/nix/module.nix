# seedCfgModule over as much of nixpkgs' lib as it uses, whose options here are what they are given.
{ lib }:
let
  inherit (builtins)
    attrNames
    filter
    listToAttrs
    mapAttrs
    stringLength
    substring
    ;

  nixpkgsLib = {
    inherit mapAttrs;
    mkOption = option: option;
    literalExpression = text: text;
    types = {
      anything = "anything";
      attrsOf = of: { attrsOf = of; };
      listOf = of: { listOf = of; };
      nullOr = of: { nullOr = of; };
      submodule = module: module.options;
    };
    nameValuePair = name: value: { inherit name value; };
    mapAttrs' = f: set: listToAttrs (map (name: f name set.${name}) (attrNames set));
    filterAttrs =
      keep: set:
      listToAttrs (
        map (name: {
          inherit name;
          value = set.${name};
        }) (filter (name: keep name set.${name}) (attrNames set))
      );
    hasPrefix = prefix: text: substring 0 (stringLength prefix) text == prefix;
    removePrefix = prefix: text: substring (stringLength prefix) (-1) text;
  };

  option = (import lib.seedCfgModule { lib = nixpkgsLib; }).options.seedCfg;
  nothing = mapAttrs (_: _: null);
in
[
  {
    name = "the module has the options of mkSeedCfg";
    want = attrNames lib.options.seedCfg;
    got = builtins.sort (a: b: a < b) (
      attrNames option.type
      ++ map (name: "builders.<name>.${name}") (attrNames option.type.builders.type.attrsOf)
      ++ map (name: "rekor.${name}") (attrNames option.type.rekor.type)
    );
  }
  {
    name = "what modules leave out is as if it were not given";
    want = lib.mkSeedCfg { };
    got = option.apply {
      registry = null;
      trust = null;
      builders = { };
      rekor = nothing option.type.rekor.type;
    };
  }
  {
    name = "what modules say is checked and filled in";
    want = lib.mkSeedCfg {
      trust = "credulous";
      builders = {
        github = {
          master = true;
          repository = "acme/app";
        };
        gitlab.repository = "acme/app";
      };
      rekor.deadline = "1h";
    };
    got =
      let
        builder = nothing option.type.builders.type.attrsOf // {
          repository = "acme/app";
        };
      in
      option.apply {
        registry = null;
        trust = "credulous";
        builders = {
          github = builder // {
            master = true;
          };
          gitlab = builder;
        };
        rekor = nothing option.type.rekor.type // {
          deadline = "1h";
        };
      };
  }
]
