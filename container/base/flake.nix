{
  description = "What every seed has beside its build inputs: Nix, a shell, git, certificates";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.05";

  outputs =
    { self, nixpkgs }:
    import ../images.nix {
      inherit nixpkgs;
      image = pkgs: { inherit self pkgs; };
    };
}
