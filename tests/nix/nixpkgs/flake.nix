{
  description = "What this flake asks of nixpkgs, with nothing behind it: for evaluation only";

  outputs =
    { self }:
    {
      legacyPackages = builtins.listToAttrs (
        map (system: {
          name = system;
          value = import ./. { inherit system; };
        }) [
          "x86_64-linux"
          "aarch64-linux"
        ]
      );
    };
}
