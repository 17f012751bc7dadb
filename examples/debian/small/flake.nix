{
  description = "A program written in shell: the smallest flake with own derivations and real inputs";

  # `setup` writes the addresses of its work folder here.
  inputs.packages.url = "git+file:///tmp/nix-seed-example/packages";

  outputs =
    {
      self,
      packages,
    }:
    let
      inherit (packages.lib) system;
      pkgs = packages.legacyPackages.${system};
      p = pkgs.packages;
      hello = pkgs.run "hello-1.0" {
        src = self;
        zlib = p.zlib1g-dev;
        cxx = p."libstdc++6";
      } (builtins.readFile ./build.sh);
    in
    {
      packages.${system}.default = hello;

      checks.${system}.default = pkgs.run "hello-check" { inherit hello; } ''
        [ "$("$hello/bin/hello" | head -n1)" = "$(cat ${./greeting.txt})" ]
        echo passed > $out
      '';
    };
}
