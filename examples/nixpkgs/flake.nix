{
  description = "An ordinary flake: a C++ package, a check, a development shell, and a seed";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";
  inputs.nix-seed = {
    url = "github:0compute/nix-seed/v1";
    inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    {
      self,
      nixpkgs,
      nix-seed,
    }:
    let
      system = "x86_64-linux";
      pkgs = nixpkgs.legacyPackages.${system};
    in
    {
      packages.${system} = {
        default = pkgs.stdenv.mkDerivation {
          pname = "greeter";
          version = "1.0";
          src = ./src;
          nativeBuildInputs = [
            pkgs.cmake
            pkgs.ninja
          ];
          buildInputs = [ pkgs.zlib ];
        };

        # Optional.  Without this attribute the seed holds what the outputs need; with it, what you
        # add as well.
        seed = nix-seed.lib.mkSeed {
          inherit pkgs self;
          contents = [ pkgs.jq ];
        };
      };

      checks.${system}.default = pkgs.runCommand "greeter-check" { } ''
        ${self.packages.${system}.default}/bin/greeter | grep -x 'hello, zlib ${pkgs.zlib.version}'
        touch $out
      '';

      devShells.${system}.default = pkgs.mkShell {
        inputsFrom = [ self.packages.${system}.default ];
        packages = [ pkgs.gdb ];
      };
    };
}
