# A package set of nixpkgs' shape, in which only the names that we use exist: what asks for another
# fails to evaluate.  Packages are derivations that nobody builds.
{
  system ? "x86_64-linux",
  static ? false,
}:
let
  package =
    name: more:
    derivation {
      inherit name system;
      builder = "/bin/sh";
    }
    // more;

  mkDerivation =
    attrs:
    derivation {
      name = "${attrs.pname}-${attrs.version}";
      inherit system;
      inherit (attrs) src;
      builder = "/bin/sh";
      inputs = map (p: p.outPath) (attrs.nativeBuildInputs ++ attrs.buildInputs);
      cmakeFlags = attrs.cmakeFlags or [ ];
      doCheck = attrs.doCheck or false;
    }
    // {
      inherit (attrs) meta version;
      overrideAttrs = f: mkDerivation (attrs // f attrs);
    };

  packages = builtins.listToAttrs (
    map
      (name: {
        inherit name;
        value = package name { };
      })
      [
        "bash"
        "bashInteractive"
        "cacert"
        "catch2_3"
        "ccache"
        "cmake"
        "coreutils"
        "curlMinimal"
        "cxxopts"
        "findutils"
        "fmt"
        "git"
        "gnugrep"
        "gnused"
        "gnutar"
        "gzip"
        "jq"
        "libgit2"
        "mold"
        "ninja"
        "nix"
        "nlohmann_json"
        "openssl"
        "pkg-config"
        "python3"
        "shellcheck"
        "sqlite"
        "zlib"
        "zstd"
      ]
  );
in
packages
// {
  stdenv = {
    inherit mkDerivation;
    hostPlatform = {
      inherit system;
      isLinux = true;
      libc = if static then "musl" else "glibc";
    };
    cc = {
      libc = package "glibc" { };
      cc.lib = package "gcc-lib" { };
      bintools.dynamicLinker = "${package "glibc" { }}/lib/ld-linux-x86-64.so.2";
    };
  };
  buildPackages = import ./. { inherit system; };
  pkgsStatic = import ./. {
    inherit system;
    static = true;
  };
  runCommand = name: _: _: package name { };
  mkShell = { packages }: package "nix-shell" { inputs = packages; };
}
