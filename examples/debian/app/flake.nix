{
  description = "wordtop: a C++ program built with CMake, Ninja, Boost, zlib and a header made by Python";

  # `setup` writes the addresses of its work folder here.
  inputs.packages.url = "git+file:///tmp/nix-seed-example/packages";
  inputs.nix-seed = {
    url = "git+file:///tmp/nix-seed-example/nix-seed";
    inputs.nixpkgs.follows = "packages";
  };

  outputs =
    {
      self,
      packages,
      nix-seed,
    }:
    let
      inherit (packages.lib) system;
      pkgs = packages.legacyPackages.${system};
      p = pkgs.packages;

      # What a developer calls by hand as well as what the build calls.
      tools = [
        pkgs.cc
        pkgs.patchelf
        p.cmake
        p.make
        p.ninja-build
        p.python3
        p.perl
        p.pkgconf
        p.git
      ] ++ pkgs.extra;

      variables = {
        inherit (pkgs) cc patchelf libdir;
        inherit (p) cmake python3 zlib1g;
        ninja = p.ninja-build;
        boost = pkgs.find "libboost[0-9.]+-dev";
        zlib = p.zlib1g-dev;
        inherit tools;
      };

      wordtop = pkgs.run "wordtop-1.0" (variables // { src = self; }) (builtins.readFile ./build.sh);
    in
    {
      packages.${system} = {
        default = wordtop;
        seed = nix-seed.lib.mkSeed {
          inherit self system;
          nix = p.nix-bin;
          tools =
            pkgs.pick [
              "bash"
              "coreutils"
              "findutils"
              "git"
              "grep"
              "gzip"
              "sed"
              "tar"
              "zstd"
            ]
            ++ [ pkgs.bootstrap ];
          shell = "${pkgs.bootstrap}/bin/sh";
          cacert = "${p.ca-certificates}/etc/ssl/certs/ca-certificates.crt";
          loader = pkgs.loader;
          libs = map (n: "${p.${n}}/${pkgs.libdir}") [
            "libc6"
            "libstdc++6"
            "zlib1g"
          ];
        };
      };

      checks.${system}.default = pkgs.run "wordtop-check" {
        inherit wordtop;
        sample = ./sample.txt;
        expected = ./sample.expected;
      } (builtins.readFile ./check.sh);

      devShells.${system}.default = derivation (
        variables
        // {
          name = "wordtop-shell";
          outputs = [ "out" ]; # nix develop reads the variable
          inherit system;
          builder = "${p.bash}/bin/bash";
          args = [
            "-c"
            "echo \"$tools\" > $out"
          ];
          PATH = builtins.concatStringsSep ":" (
            map (t: "${t}/bin") (
              tools
              ++ [
                p.bash
                pkgs.bootstrap
              ]
            )
          );
          CPLUS_INCLUDE_PATH = "${variables.boost}/include:${variables.zlib}/include";
          CMAKE_INCLUDE_PATH = "${variables.zlib}/include";
          CMAKE_LIBRARY_PATH = "${variables.zlib}/${pkgs.libdir}";
          LIBRARY_PATH = "${variables.zlib}/${pkgs.libdir}";
        }
      );
    };
}
