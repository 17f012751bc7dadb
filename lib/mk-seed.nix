# mkSeed: control over what a seed holds beside the build inputs that nix-seed finds by itself.
#
# Returns a derivation named `seed` whose output names every path given here, so that building it
# brings them into the store, with an attribute `nixSeed` that `nix-seed seed` reads as JSON.  With
# nixpkgs, `mkSeed { inherit pkgs self; }` is enough; without, everything is given by hand.
let
  isGlibc =
    pkgs:
    pkgs.stdenv.hostPlatform.isLinux && (pkgs.stdenv.hostPlatform.libc or "glibc") == "glibc";

  required = argument: throw "mkSeed: give '${argument}', or 'pkgs' to have it filled in";

  # What each option is where nixpkgs is given, and where it is not.
  defaultsOf =
    pkgs:
    if pkgs == null then
      {
        system = required "system";
        shell = required "shell";
        nix = required "nix";
        tools = [ ];
        cacert = null;
        loader = null;
        libs = [ ];
      }
    else
      {
        inherit (pkgs.stdenv.hostPlatform) system;
        inherit (pkgs) nix;
        shell = "${pkgs.bash}/bin/sh";
        tools = [
          pkgs.bashInteractive
          pkgs.coreutils
          pkgs.gnugrep
          pkgs.gnused
          pkgs.gnutar
          pkgs.gzip
          pkgs.zstd
          pkgs.findutils
          pkgs.git
        ];
        cacert = "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
        loader = if isGlibc pkgs then pkgs.stdenv.cc.bintools.dynamicLinker else null;
        libs =
          if isGlibc pkgs then
            [
              "${pkgs.stdenv.cc.libc}/lib"
              "${pkgs.stdenv.cc.cc.lib}/lib"
            ]
          else
            [ ];
      };
in
{
  # The flake itself.
  self,
  # A nixpkgs package set, which fills in the options below that are not given.
  pkgs ? null,
  defaults ? defaultsOf pkgs,
  system ? defaults.system,
  # The Nix that runs in the seed.
  nix ? defaults.nix,
  # Packages whose bin folders are in PATH: CI hosts need a shell, coreutils, git and tar.
  tools ? defaults.tools,
  # A POSIX shell in the store: the builder of this derivation.
  shell ? defaults.shell,
  # A file of CA certificates.
  cacert ? defaults.cacert,
  # Dynamic loader and library folders for programs that CI hosts bring along, such as Node.
  loader ? defaults.loader,
  libs ? defaults.libs,
  # Further packages or store paths.
  contents ? [ ],
  # Keeps the contents for whose name it is true.
  filter ? (_: true),
  # Further lines of the seed's nix.conf.
  config ? "",
  # Flake inputs whose source trees the outputs do not need.
  excludeInputs ? [ ],
  # A name for people; a seed is found by its lock, not by its name.
  name ? null,
}:
let
  # A store path's name, without folder and hash.
  nameOf =
    path:
    path.name or (builtins.elemAt (
      builtins.match ".*/[0-9a-z]{32}-([^/]*).*" (builtins.unsafeDiscardStringContext "${path}")
    ) 0);

  kept = builtins.filter (path: filter (nameOf path)) contents;

  unknownInputs = builtins.filter (input: !(builtins.hasAttr input self.inputs)) excludeInputs;

  orNull = value: if value == null then null else "${value}";

  given = builtins.filter (value: value != null) (
    [
      nix
      cacert
      loader
    ]
    ++ tools
    ++ libs
    ++ kept
  );

  nixSeed = {
    version = 1;
    nix = toString nix;
    tools = map toString tools;
    contents = map toString kept;
    cacert = orNull cacert;
    loader = orNull loader;
    libs = map toString libs;
    inherit config excludeInputs name;
  };

  seed = derivation {
    name = "seed";
    inherit system;
    builder = shell;
    args = [
      "-c"
      "for path in $paths; do echo \"$path\"; done > \"$out\""
    ];
    paths = map toString given;
    preferLocalBuild = true;
    allowSubstitutes = false;
  };
in
if unknownInputs != [ ] then
  throw "mkSeed: excludeInputs names '${builtins.head unknownInputs}', but the flake's inputs are: ${toString (builtins.attrNames self.inputs)}"
else
  seed // { inherit nixSeed; }
