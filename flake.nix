{
  description = "nix-seed packs a flake's build inputs as OCI layers and builds changed code offline inside them";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";

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

      # What the program itself is made of, so that a word in the docs rebuilds nothing.
      sources = builtins.path {
        path = ./.;
        name = "nix-seed-source";
        filter =
          path: _:
          builtins.match "${toString ./.}/(CMakeLists\\.txt|(cmake|src)(/.*)?)" (toString path) != null;
      };

      version = builtins.head (
        builtins.match ".*\nproject\\(nix-seed VERSION ([0-9.]+) .*" (builtins.readFile ./CMakeLists.txt)
      );

      libraries = pkgs: [
        pkgs.curlMinimal # the whole one does not link statically everywhere
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
      ];

      # Built with the libraries of `pkgs`; those of nixpkgs' pkgsStatic make one static file.
      nix-seed' =
        pkgs:
        pkgs.stdenv.mkDerivation {
          pname = "nix-seed";
          inherit version;
          src = sources;
          nativeBuildInputs = buildTools pkgs.buildPackages;
          buildInputs = libraries pkgs;
          cmakeFlags = [ "-DNIX_SEED_TESTS=OFF" ];
          meta = {
            inherit ((import ./flake.nix)) description;
            mainProgram = "nix-seed";
          };
        };

      # The same with the whole tree, and ctest run on it.
      tested =
        pkgs:
        (nix-seed' pkgs).overrideAttrs (old: {
          pname = "nix-seed-tested";
          src = self;
          nativeBuildInputs = old.nativeBuildInputs ++ [
            pkgs.git
            pkgs.python3
          ];
          buildInputs = old.buildInputs ++ [ pkgs.catch2_3 ];
          cmakeFlags = [ "-DNIX_SEED_TESTS=ON" ];
          postPatch = "patchShebangs scripts tests";
          doCheck = true;
        });

      # lib/ against tests/nix: a failure ends the evaluation, and says which.
      libTests =
        pkgs:
        let
          failures = import ./tests/nix/run.nix { };
        in
        if failures == [ ] then
          pkgs.runCommand "nix-seed-lib-tested" { } "touch $out"
        else
          throw "lib: ${builtins.concatStringsSep "\n" failures}";
    in
    {
      # Needs no nixpkgs: a flake without it sets `inputs.nix-seed.inputs.nixpkgs.follows` to any
      # input of its own.  docs/flake.md lists every option.
      lib = import ./lib;

      packages = eachSystem (pkgs: rec {
        nix-seed = nix-seed' pkgs;
        static = nix-seed' pkgs.pkgsStatic;
        default = nix-seed;
      });

      checks = eachSystem (pkgs: {
        lib = libTests pkgs;
        nix-seed = tested pkgs;
      });

      devShells = eachSystem (pkgs: {
        default = pkgs.mkShell {
          packages =
            buildTools pkgs
            ++ libraries pkgs
            ++ [
              pkgs.catch2_3
              pkgs.ccache
              pkgs.git
              pkgs.jq
              pkgs.mold
              pkgs.python3
              pkgs.shellcheck
            ];
        };
      });
    };
}
