{
  description = "The image to run nix-seed in: the program, Nix with a network, a shell, git, certificates";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";

  outputs =
    { self, nixpkgs }:
    import ../images.nix {
      inherit nixpkgs;
      image = pkgs: {
        inherit self pkgs;
        offline = false;
      };
    };
}
