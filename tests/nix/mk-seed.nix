{ lib }:
let
  pkgs = import ./nixpkgs { };
  self = {
    inputs = {
      packages = { };
      docs = { };
    };
    outPath = "/nix/store/00000000000000000000000000000000-source";
  };
  store = name: "/nix/store/00000000000000000000000000000000-${name}";

  # What a flake without nixpkgs gives.
  bare = {
    inherit self;
    system = "x86_64-linux";
    nix = store "nix-2.8";
    shell = store "bash" + "/bin/sh";
  };

  plain = builtins.unsafeDiscardStringContext;
  seedOf = args: builtins.fromJSON (plain (builtins.toJSON (lib.mkSeed args).nixSeed));

  value = name: args: want: {
    inherit name want;
    got = seedOf args;
  };
  # `more` is given beside what a flake without nixpkgs gives.
  wrong = name: more: want: {
    inherit name;
    want = "mkSeed: ${want}";
    got =
      let
        found = lib.problems.mkSeed (bare // more);
      in
      if found == null then null else plain found;
  };
  without = removed: want: {
    name = "without ${toString removed}";
    want = if want == null then null else "mkSeed: ${want}";
    got = lib.problems.mkSeed (builtins.removeAttrs bare removed);
  };
  example = "write for example: ";
in
[
  (value "bare" bare {
    version = 1;
    nix = store "nix-2.8";
    tools = [ ];
    contents = [ ];
    cacert = null;
    loader = null;
    libs = [ ];
    config = "";
    excludeInputs = [ ];
    name = null;
    offline = true;
  })

  (value "everything is given"
    (
      bare
      // {
        tools = [
          (store "bash")
          (store "git")
        ];
        cacert = store "ca" + "/bundle.crt";
        loader = store "glibc" + "/lib/ld.so";
        libs = [ (store "glibc" + "/lib") ];
        contents = [
          (store "jq-1.7")
          (store "hello-2.12")
        ];
        filter = name: name != "hello-2.12";
        config = "max-jobs = 4\n# a comment\n\n!include more.conf\nextra-sandbox-paths = /a=/b";
        excludeInputs = [ "docs" ];
        name = "app";
        offline = false;
      }
    )
    {
      version = 1;
      nix = store "nix-2.8";
      tools = [
        (store "bash")
        (store "git")
      ];
      contents = [ (store "jq-1.7") ];
      cacert = store "ca" + "/bundle.crt";
      loader = store "glibc" + "/lib/ld.so";
      libs = [ (store "glibc" + "/lib") ];
      config = "max-jobs = 4\n# a comment\n\n!include more.conf\nextra-sandbox-paths = /a=/b";
      excludeInputs = [ "docs" ];
      name = "app";
      offline = false;
    }
  )

  (value "pkgs fills in what is not given" { inherit pkgs self; } {
    version = 1;
    nix = plain pkgs.nix.outPath;
    tools = map (name: plain pkgs.${name}.outPath) [
      "bashInteractive"
      "coreutils"
      "gnugrep"
      "gnused"
      "gnutar"
      "gzip"
      "zstd"
      "findutils"
      "git"
    ];
    contents = [ ];
    cacert = plain "${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt";
    loader = plain pkgs.stdenv.cc.bintools.dynamicLinker;
    libs = [
      (plain "${pkgs.stdenv.cc.libc}/lib")
      (plain "${pkgs.stdenv.cc.cc.lib}/lib")
    ];
    config = "";
    excludeInputs = [ ];
    name = null;
    offline = true;
  })

  {
    name = "what is given wins over pkgs";
    want = {
      nix = store "nix-2.8";
      tools = [ ];
    };
    got = {
      inherit
        (seedOf {
          inherit pkgs self;
          nix = store "nix-2.8";
          tools = [ ];
        })
        nix
        tools
        ;
    };
  }

  {
    name = "a C library other than glibc brings no loader";
    want = {
      loader = null;
      libs = [ ];
    };
    got = {
      inherit
        (seedOf {
          inherit self;
          pkgs = pkgs.pkgsStatic;
        })
        loader
        libs
        ;
    };
  }

  {
    name = "the filter sees the names of packages";
    want = [ (plain pkgs.git.outPath) ];
    got =
      (seedOf {
        inherit pkgs self;
        contents = [
          pkgs.git
          pkgs.jq
        ];
        filter = name: name == "git";
      }).contents;
  }

  {
    name = "the derivation refers to all it names";
    want = true;
    got =
      let
        seed = lib.mkSeed {
          inherit pkgs self;
          contents = [ pkgs.jq ];
        };
        context = builtins.attrNames (builtins.getContext seed.drvPath);
      in
      seed.name == "seed" && builtins.elem pkgs.jq.outPath seed.paths && context != [ ];
  }

  {
    name = "the argument is no set";
    want = "mkSeed: the argument is an empty list, which is not a set of options; write for example: mkSeed { inherit pkgs self; }";
    got = lib.problems.mkSeed [ ];
  }

  (without [ ] null)
  (without [ "self" ] "'self' is missing; ${example}inherit self;")
  (without [ "nix" ] "'nix' is missing; ${example}nix = pkgs.nix; or give 'pkgs', which fills it in")
  (without
    [ "shell" ]
    "'shell' is missing; ${example}shell = \"\${pkgs.bash}/bin/sh\"; or give 'pkgs', which fills it in"
  )
  (without
    [ "system" ]
    "'system' is missing; ${example}system = \"x86_64-linux\"; or give 'pkgs', which fills it in"
  )

  (wrong "a misspelt option" { content = [ ]; }
    "there is no option 'content'; the options are: cacert, config, contents, excludeInputs, filter, libs, loader, name, nix, offline, pkgs, self, shell, system, tools"
  )
  (wrong "self" { self = "."; } "'self' is \".\", which is not the flake itself; ${example}inherit self;")
  (wrong "pkgs" { pkgs = { }; }
    "'pkgs' is a set, which is not a nixpkgs package set; ${example}pkgs = nixpkgs.legacyPackages.x86_64-linux;"
  )
  (wrong "system" { system = "linux"; }
    "'system' is \"linux\", which is not a system; ${example}system = \"x86_64-linux\";"
  )
  (wrong "nix" { nix = "/usr/bin/nix"; }
    "'nix' is \"/usr/bin/nix\", which is not a package or a store path; ${example}nix = pkgs.nix;"
  )
  (wrong "nix as null" { nix = null; }
    "'nix' is null, which is not a package or a store path; ${example}nix = pkgs.nix;"
  )
  (wrong "tools" { tools = "git"; }
    "'tools' is \"git\", which is not a list of packages or store paths; ${example}tools = [ pkgs.bash pkgs.coreutils pkgs.git ];"
  )
  (wrong "one of the tools"
    {
      tools = [
        pkgs.git
        7
      ];
    }
    "'tools[1]' is 7, which is not a package or a store path; ${example}tools = [ pkgs.bash pkgs.coreutils pkgs.git ];"
  )
  (wrong "shell" { shell = pkgs.bash; }
    "'shell' is a package, which is not a program in the store; ${example}shell = \"\${pkgs.bash}/bin/sh\";"
  )
  (wrong "cacert" { cacert = "/etc/ssl/cert.pem"; }
    "'cacert' is \"/etc/ssl/cert.pem\", which is not a package or a store path; ${example}cacert = \"\${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt\";"
  )
  (wrong "loader" { loader = true; }
    "'loader' is true, which is not a package or a store path; ${example}loader = pkgs.stdenv.cc.bintools.dynamicLinker;"
  )
  (wrong "libs" { libs = [ "lib" ]; }
    "'libs[0]' is \"lib\", which is not a package or a store path; ${example}libs = [ \"\${pkgs.stdenv.cc.cc.lib}/lib\" ];"
  )
  (wrong "contents" { contents = pkgs.jq; }
    "'contents' is a package, which is not a list of packages or store paths; ${example}contents = [ pkgs.jq ];"
  )
  (wrong "a name in contents" { contents = [ "jq" ]; }
    "'contents[0]' is \"jq\", which is not a package or a store path; ${example}contents = [ pkgs.jq ];"
  )
  (wrong "filter" { filter = [ "jq" ]; }
    "'filter' is a list, which is not a function; ${example}filter = name: name != \"jq-1.7\";"
  )
  (wrong "a filter that does not decide"
    {
      contents = [ (store "jq-1.7") ];
      filter = name: name;
    }
    "'filter' is \"jq-1.7\", which is not true or false for the name \"jq-1.7\"; ${example}filter = name: name != \"jq-1.7\";"
  )
  (wrong "config" { config = { max-jobs = 4; }; }
    "'config' is a set, which is not lines for nix.conf, each NAME = VALUE; ${example}config = \"max-jobs = 4\\n\";"
  )
  (wrong "offline" { offline = "no"; }
    "'offline' is \"no\", which is not true or false; ${example}offline = false;"
  )
  (wrong "a line of config" { config = "cores = 2\nmax-jobs 4\n"; }
    "'config' is \"max-jobs 4\", which is not lines for nix.conf, each NAME = VALUE; ${example}config = \"max-jobs = 4\\n\";"
  )
  (wrong "excludeInputs" { excludeInputs = "docs"; }
    "'excludeInputs' is \"docs\", which is not a list of names of the flake's inputs; ${example}excludeInputs = [ \"devshell\" ];"
  )
  (wrong "an input itself" { excludeInputs = [ self ]; }
    "'excludeInputs[0]' is a package, which is not the name of an input; ${example}excludeInputs = [ \"devshell\" ];"
  )
  (wrong "an input that is not there"
    {
      excludeInputs = [
        "docs"
        "dosc"
      ];
    }
    "'excludeInputs' names \"dosc\", but the flake's inputs are: docs packages"
  )
  (wrong "name" { name = "two\nlines"; }
    "'name' is \"two\\nlines\", which is not a line of at most 100 bytes; ${example}name = \"app\";"
  )
  (wrong "a long value"
    { system = "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789"; }
    "'system' is \"0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 012345678…\", which is not a system; ${example}system = \"x86_64-linux\";"
  )
]
