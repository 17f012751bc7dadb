{
  description = "A package set made of distribution packages: one store path per .deb, no nixpkgs";

  outputs =
    { self }:
    let
      set = import ./set.nix { lock = builtins.fromJSON (builtins.readFile ./lock.json); };
    in
    {
      lib = { inherit (set) system; };
      legacyPackages.${set.system} = set;
    };
}
