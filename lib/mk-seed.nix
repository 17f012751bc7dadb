# mkSeed: control over what a seed holds beside the build inputs that nix-seed finds by itself.
#
# Returns a derivation named `seed` whose output names every path given here, so that building it
# brings them into the store, with an attribute `nixSeed` that `nix-seed seed` reads as JSON.  With
# nixpkgs, `mkSeed { inherit pkgs self; }` is enough; without, everything is given by hand.
let
  inherit (builtins)
    attrNames
    baseNameOf
    elemAt
    filter
    hasAttr
    head
    isAttrs
    isBool
    isPath
    isString
    match
    ;

  check = import ./check.nix;
  inherit (check)
    first
    function
    listOf
    message
    nullOr
    package
    set
    string
    ;

  packages = listOf "packages or store paths" package;

  # nix.conf(5): settings, comments, and other files named by include.
  settings = {
    is = "lines for nix.conf, each NAME = VALUE";
    problem =
      at: value:
      let
        bad = filter (
          line:
          isString line
          && match "[[:space:]]*|[[:space:]]*#.*|[[:space:]]*!?include[[:space:]].*|[[:space:]]*[a-zA-Z0-9-]+[[:space:]]*=.*" line
          == null
        ) (builtins.split "\n" value);
        wrong = value: { inherit at value; inherit (settings) is; };
      in
      if !isString value then
        wrong value
      else if bad != [ ] then
        wrong (head bad)
      else
        null;
  };

  options = {
    self = {
      type = set "the flake itself";
      required = true;
      example = "inherit self;";
      doc = "The flake itself.";
    };
    pkgs = {
      type = nullOr (
        check.simple "a nixpkgs package set" (value: isAttrs value && value ? stdenv)
      );
      default = "null";
      example = "pkgs = nixpkgs.legacyPackages.x86_64-linux;";
      doc = "A nixpkgs package set: fills in the options below that are not given.";
    };
    system = {
      type = string "a system" "[a-z0-9_]+-[a-z0-9]+";
      default = "that of `pkgs`";
      example = "system = \"x86_64-linux\";";
      doc = "The Nix system of the seed.";
    };
    nix = {
      type = package;
      default = "`pkgs.nix`";
      example = "nix = pkgs.nix;";
      doc = "The Nix that runs in the seed.";
    };
    tools = {
      type = packages;
      default = "bash, coreutils, findutils, git, grep, gzip, sed, tar and zstd of `pkgs`; without, none";
      example = "tools = [ pkgs.bash pkgs.coreutils pkgs.git ];";
      doc = "Packages whose `bin` folders are in the seed's `PATH`. CI hosts need a shell, coreutils, git, tar and gzip.";
    };
    offline = {
      type = check.bool;
      default = "true";
      example = "offline = false;";
      doc = "False makes an image to run Nix in: it may use the network, and the image is not taken for a seed.";
    };
    shell = {
      type = string "a program in the store" "${builtins.storeDir}/[0-9a-z]{32}-[^/[:cntrl:]]+/[^[:cntrl:]]+";
      default = "`sh` of `pkgs.bash`";
      example = "shell = \"\${pkgs.bash}/bin/sh\";";
      doc = "A POSIX shell in the store: the builder of mkSeed's derivation.";
    };
    cacert = {
      type = nullOr package;
      default = "that of `pkgs.cacert`; without `pkgs`, null";
      example = "cacert = \"\${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt\";";
      doc = "A file of CA certificates in the store, for what a job downloads.";
    };
    loader = {
      type = nullOr package;
      default = "glibc's, of `pkgs`; without, null";
      example = "loader = pkgs.stdenv.cc.bintools.dynamicLinker;";
      doc = "Dynamic loader for programs that CI hosts bring along, such as Node.";
    };
    libs = {
      type = packages;
      default = "those of glibc and gcc, of `pkgs`; without, none";
      example = "libs = [ \"\${pkgs.stdenv.cc.cc.lib}/lib\" ];";
      doc = "Folders with the libraries that such programs need.";
    };
    contents = {
      type = packages;
      default = "`[ ]`";
      example = "contents = [ pkgs.jq ];";
      doc = "Further packages or store paths that the seed holds, with all they refer to.";
    };
    filter = {
      type = function;
      default = "keeps all";
      example = "filter = name: name != \"jq-1.7\";";
      doc = "A function from the name of each of `contents` to whether it is kept.";
    };
    config = {
      type = settings;
      default = "`\"\"`";
      example = "config = \"max-jobs = 4\\n\";";
      doc = "Further lines of the seed's nix.conf.";
    };
    excludeInputs = {
      type = listOf "names of the flake's inputs" (string "the name of an input" "[^[:cntrl:]]+");
      default = "`[ ]`";
      example = "excludeInputs = [ \"devshell\" ];";
      doc = "Flake inputs whose source trees the outputs do not need.";
    };
    name = {
      type = nullOr (string "a line of at most 100 bytes" "[^[:cntrl:]]{1,100}");
      default = "null";
      example = "name = \"app\";";
      doc = "A name for people. A seed is found by its lock, not by its name.";
    };
  };

  isGlibc =
    pkgs:
    pkgs.stdenv.hostPlatform.isLinux && (pkgs.stdenv.hostPlatform.libc or "glibc") == "glibc";

  # What the options are that are not given.
  defaultsOf =
    pkgs:
    {
      contents = [ ];
      filter = _: true;
      config = "";
      excludeInputs = [ ];
      name = null;
      offline = true;
    }
    // (
      if pkgs == null then
        {
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
        }
    );

  # A store path's name, without folder and hash.
  nameOf =
    path:
    if isPath path then
      baseNameOf path
    else
      path.name or (elemAt (match ".*/[0-9a-z]{32}-([^/]*).*" (
        builtins.unsafeDiscardStringContext "${path}"
      )) 0);

  # Options that only `pkgs` or the user can give.
  missing =
    args:
    let
      absent = filter (name: !(hasAttr name args)) [
        "nix"
        "shell"
        "system"
      ];
    in
    if (args.pkgs or null) != null || absent == [ ] then
      null
    else
      "mkSeed: '${head absent}' is missing; write for example: ${
        options.${head absent}.example
      } or give 'pkgs', which fills it in";

  unknownInput =
    args:
    let
      inputs = args.self.inputs or { };
      unknown = filter (input: !(hasAttr input inputs)) (args.excludeInputs or [ ]);
    in
    if unknown == [ ] then
      null
    else
      "mkSeed: 'excludeInputs' names ${check.show (head unknown)}, but the flake's inputs are: ${toString (attrNames inputs)}";

  undecided =
    args:
    let
      names = filter (name: !(isBool (args.filter name))) (map nameOf (args.contents or [ ]));
    in
    if args ? filter && names != [ ] then
      message "mkSeed" options.filter.example {
        at = "filter";
        value = args.filter (head names);
        is = "true or false for the name ${check.show (head names)}";
      }
    else
      null;

  problem =
    given:
    if !isAttrs given then
      "mkSeed: the argument is ${check.show given}, which is not a set of options; write for example: mkSeed { inherit pkgs self; }"
    else
      first [
        (check.problemOf {
          who = "mkSeed";
          inherit options given;
        })
        (missing given)
        (unknownInput given)
        (undecided given)
      ];

  # A package's path; a file of the flake itself gets one of its own.
  pathOf = value: "${value}";
  orNull = value: if value == null then null else pathOf value;

  seed =
    arguments:
    let
      kept = filter (path: arguments.filter (nameOf path)) arguments.contents;

      given = filter (value: value != null) (
        [
          arguments.nix
          arguments.cacert
          arguments.loader
        ]
        ++ arguments.tools
        ++ arguments.libs
        ++ kept
      );

      nixSeed = {
        version = 1;
        nix = pathOf arguments.nix;
        tools = map pathOf arguments.tools;
        contents = map pathOf kept;
        cacert = orNull arguments.cacert;
        loader = orNull arguments.loader;
        libs = map pathOf arguments.libs;
        inherit (arguments)
          config
          excludeInputs
          name
          offline
          ;
      };
    in
    derivation {
      name = "seed";
      inherit (arguments) system;
      builder = arguments.shell;
      args = [
        "-c"
        "for path in $paths; do echo \"$path\"; done > \"$out\""
      ];
      paths = map pathOf given;
      preferLocalBuild = true;
      allowSubstitutes = false;
    }
    // {
      inherit nixSeed;
    };
in
{
  inherit options problem;

  make =
    args:
    let
      wrong = problem args;
    in
    if wrong != null then throw wrong else seed (defaultsOf (args.pkgs or null) // args);
}
