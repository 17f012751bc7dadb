{
  description = "nix-seed packs a flake's build inputs as OCI layers and builds changed code offline inside them";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      eachSystem =
        f:
        builtins.listToAttrs (
          map (system: {
            name = system;
            value = f nixpkgs.legacyPackages.${system};
          }) systems
        );
      libraries = pkgs: [
        pkgs.curl
        pkgs.cxxopts
        pkgs.fmt
        pkgs.libgit2
        pkgs.nlohmann_json
        pkgs.openssl
        pkgs.sqlite
        pkgs.zlib
        pkgs.zstd
      ];
      buildTools = pkgs: [
        pkgs.cmake
        pkgs.ninja
        pkgs.pkg-config
        pkgs.python3
      ];
      nix-seed' =
        pkgs:
        pkgs.stdenv.mkDerivation {
          pname = "nix-seed";
          version = "0.1.0";
          src = self;
          nativeBuildInputs = buildTools pkgs;
          buildInputs = libraries pkgs ++ [ pkgs.catch2_3 ];
          doCheck = true;
        };
    in
    {
      # Needs no nixpkgs: a flake without it sets `inputs.nix-seed.inputs.nixpkgs.follows` to any
      # input of its own.
      lib.mkSeed = import ./lib/mk-seed.nix;

      packages = eachSystem (pkgs: rec {
        nix-seed = nix-seed' pkgs;
        default = nix-seed;
      });

      devShells = eachSystem (pkgs: {
        default = pkgs.mkShell {
          packages =
            buildTools pkgs
            ++ libraries pkgs
            ++ [
              pkgs.catch2_3
              pkgs.ccache
              pkgs.mold
              pkgs.shellcheck
            ];
        };
      });
    };
}
