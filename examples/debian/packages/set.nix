# Package set of one lock.json: each entry becomes one store path that refers to the store paths of
# its dependencies, as in nixpkgs.  The .deb files are fixed-output derivations, so a file that was
# added to the store beforehand (`nix-store --add-fixed sha256 FILE`) is never fetched.
{ lock }:
let
  inherit (builtins)
    filter
    genericClosure
    map
    mapAttrs
    pathExists
    replaceStrings
    tail
    ;
  inherit (lock) system;
  inherit ((import ./systems.nix).${system}) triplet loader;
  libdir = "lib/${triplet}";

  fetch =
    deb:
    derivation {
      inherit (deb) name url;
      system = "builtin";
      builder = "builtin:fetchurl";
      outputHashAlgo = "sha256";
      outputHashMode = "flat";
      outputHash = deb.sha256;
      preferLocalBuild = true;
    };

  # A static busybox with a link for each applet: the only program that no derivation builds.
  bootstrap = builtins.path {
    name = "bootstrap";
    path = ./bootstrap;
  };

  # A derivation run by busybox's shell, with the functions of setup.sh.
  run =
    name: attrs: script:
    derivation (
      {
        inherit
          name
          system
          script
          bootstrap
          triplet
          loader
          libdir
          ;
        builder = "${bootstrap}/bin/sh";
        args = [
          "-c"
          ". ${./setup.sh}; eval \"$script\""
        ];
        PATH = "${bootstrap}/bin";
      }
      // attrs
    );

  # patchelf relocates the others, so it brings a C library of its own.
  patchelf =
    run "patchelf"
      {
        debs = map fetch ([ lock.patchelf ] ++ lock.packages.libc6.debs ++ lock.packages."libstdc++6".debs);
      }
      ''
        unpack
        mv $out/bin/patchelf $out/bin/.patchelf
        {
          echo "#!$bootstrap/bin/sh"
          echo "exec $out/$libdir/$loader --library-path $out/$libdir $out/bin/.patchelf \"\$@\""
        } > $out/bin/patchelf
        chmod +x $out/bin/patchelf
      '';

  # Names of all packages that a package needs, itself first.
  closure =
    name:
    map (x: x.key) (genericClosure {
      startSet = [ { key = name; } ];
      operator = x: map (key: { inherit key; }) lock.packages.${x.key}.deps;
    });

  hook = name: if pathExists (./hooks + "/${name}.sh") then builtins.readFile (./hooks + "/${name}.sh") else "";

  packages = mapAttrs (
    name: p:
    run "${replaceStrings [ "+" ] [ "x" ] name}-${p.version}" {
      debs = map fetch p.debs;
      deps = map (n: packages.${n}) p.deps;
      libdeps = map (n: packages.${n}) (tail (closure name));
      bash = if builtins.elem "bash" p.deps then packages.bash else null;
      inherit patchelf;
    } ("unpack; fixup\n" + hook name)
  ) lock.packages;

  # Compiler drivers, headers, start files and linker in one prefix, linking against the store's libc.
  cc = run "cc" {
    parts = map (n: packages.${n}) lock.compiler;
    libc = packages.libc6;
    libstdcxx = packages."libstdc++6";
    inherit patchelf;
  } (builtins.readFile ./cc.sh);

  pick = map (n: packages.${n});

  # What the application's developers want beside its own toolchain.
  extra = pick lock.extra;

  # The one package whose name matches, for names that hold a version.
  find =
    pattern:
    packages.${
      builtins.head (filter (n: builtins.match pattern n != null) (builtins.attrNames lock.packages))
    };
in
{
  inherit
    system
    libdir
    bootstrap
    cc
    closure
    extra
    find
    packages
    patchelf
    pick
    run
    ;
  loader = "${packages.libc6}/${libdir}/${loader}";
}
