# mkSeedCfg: the flake's `seedCfg`, checked, with what can be known filled in.  Plain data.
#
# Nothing is guessed that decides whom to trust: a builder whose issuer and identity are neither
# given nor known from its name and repository is an error, and so is a number that can't be met.
let
  inherit (builtins)
    attrNames
    elemAt
    filter
    foldl'
    head
    isAttrs
    isInt

    length
    listToAttrs
    mapAttrs
    match
    stringLength
    substring
    ;

  check = import ./check.nix;
  inherit (check)
    first
    message
    show
    ;

  inherit (import ./seed-cfg-options.nix) options builderOptions rekorOptions;

  # Builders known by name: who vouches for them, and what they are called there.
  known = {
    github = {
      issuer = "https://token.actions.githubusercontent.com";
      host = "https://github.com/";
      # job_workflow_ref of a job in the workflow file that the quickstart makes
      identity = url: "${url}/.github/workflows/seed.yml@refs/heads/main";
      path = "[^/]+/[^/]+";
    };
    gitlab = {
      issuer = "https://gitlab.com";
      host = "https://gitlab.com/";
      # ci_config_ref_uri
      identity = url: "${url}//.gitlab-ci.yml@refs/heads/main";
      path = "[^/]+(/[^/]+)+";
    };
  };

  lower = builtins.replaceStrings (letters "ABCDEFGHIJKLMNOPQRSTUVWXYZ") (
    letters "abcdefghijklmnopqrstuvwxyz"
  );
  letters = text: builtins.genList (i: substring i 1 text) (stringLength text);

  isUrl = text: match "https?://.*" text != null;

  # The known host whose issuer this is, or null.
  hostOf =
    issuer: first (map (name: if known.${name}.issuer == issuer then name else null) (attrNames known));

  # A builder with what its name says; `issuer`, `identity` and `repository` are null where unknown.
  builderOf =
    name: given:
    let
      like = known.${name} or null;
      repository = given.repository or null;
      issuer = given.issuer or null;
      identity = given.identity or null;
      key = given.key or null;
      # The host's own issuer vouches for repositories there, another one for we know not what.
      usual = like != null && key == null && (issuer == null || issuer == like.issuer);
      address =
        if repository == null || isUrl repository then
          repository
        else if like != null then
          like.host + repository
        else
          null;
    in
    {
      master = given.master or false;
      issuer = if usual then like.issuer else issuer;
      repository = address;
      identity =
        if identity == null && usual && address != null then like.identity address else identity;
      inherit key;
    }
    // mapAttrs (name: _: given.${name} or null) {
      inherit (builderOptions)
        repositoryId
        ownerId
        registry
        corporateParent
        jurisdiction
        runner
        ;
    };

  # https://HOST/OWNER of a builder's repository, in lower case, or null.
  ownerOf =
    builder:
    let
      parts = if builder.repository == null then null else match "(https?://[^/]+/[^/]+)/.*" builder.repository;
    in
    if parts == null then null else lower (head parts);

  # What 'independent' can ask of builders: from which option it follows, and its value.
  independence = {
    owner = {
      option = "repository";
      value = ownerOf;
    };
    corporateParent = {
      option = "corporateParent";
      value = builder: builder.corporateParent;
    };
    jurisdiction = {
      option = "jurisdiction";
      value = builder: builder.jurisdiction;
    };
    runner = {
      option = "runner";
      value = builder: builder.runner;
    };
  };

  startsWith = prefix: text: substring 0 (stringLength prefix) text == prefix;

  upTo = most: if most == 2 then "2" else "a number from 2 to ${toString most}";

  # What is wrong with one builder whose fields are of the right types.
  builderProblem =
    name: given:
    let
      at = "builders.${name}";
      builder = builderOf name given;
      host = if builder.issuer == null then null else hostOf builder.issuer;
      like = known.${host};
      repository = given.repository or null;
      path = substring (stringLength like.host) (stringLength builder.repository) builder.repository;
      missing =
        field: why:
        "seedCfg: '${at}.${field}' is missing${why}; write for example: ${at}.${builderOptions.${field}.example}";
    in
    if builder.key != null && (builder.issuer != null || builder.identity != null) then
      "seedCfg: '${at}.key' is given, and so is '${at}.${
        if builder.issuer == null then "identity" else "issuer"
      }'; write the key of a builder that signs with a key, or the issuer and identity of one that signs with a certificate"
    else if repository != null && builder.repository == null then
      message "seedCfg" "repository = \"https://git.example.org/acme/app\";" {
        at = "${at}.repository";
        value = repository;
        is = "an https:// address, and only for github and gitlab is the host known";
      }
    else if builder.key != null then
      null
    else if builder.issuer == null then
      missing "issuer" ", and only those of github and gitlab are known"
    else if
      host != null
      && builder.repository != null
      && !(startsWith like.host builder.repository && match like.path path != null)
    then
      message "seedCfg" builderOptions.repository.example {
        at = "${at}.repository";
        value = repository;
        is = "a repository of ${host}";
      }
    # Whoever calls a workflow of others has its identity: only the repository tells them apart.
    else if host != null && builder.repository == null then
      missing "repository" (
        if builder.identity == null then
          ", from which the identity follows"
        else
          ", and anyone's job may call the identity's workflow"
      )
    else if builder.identity == null then
      missing "identity" ""
    else
      null;

  buildersOf = given: mapAttrs builderOf (given.builders or { });

  fieldProblems =
    given:
    let
      builders = given.builders or { };
      notSets = filter (name: !(isAttrs builders.${name})) (attrNames builders);
      badNames = filter (name: match "[a-z][a-z0-9-]*" name == null) (attrNames builders);
    in
    if notSets != [ ] then
      message "seedCfg" options.builders.example {
        at = "builders.${head notSets}";
        value = builders.${head notSets};
        is = "a set of options";
      }
    else if badNames != [ ] then
      message "seedCfg" options.builders.example {
        at = "builders";
        value = head badNames;
        is = "a builder's name: small letters, digits and '-'";
      }
    else
      first (
        map (
          name:
          first [
            (check.problemOf {
              who = "seedCfg";
              prefix = "builders.${name}.";
              options = builderOptions;
              given = builders.${name};
            })
            (builderProblem name builders.${name})
          ]
        ) (attrNames builders)
        ++ [
          (check.problemOf {
            who = "seedCfg";
            prefix = "rekor.";
            options = rekorOptions;
            given = given.rekor or { };
          })
        ]
      );

  # The same value twice in a list, or null.
  twice =
    values:
    (foldl'
      (
        state: value:
        if state.found != null then
          state
        else if builtins.elem value state.seen then
          state // { found = value; }
        else
          state // { seen = state.seen ++ [ value ]; }
      )
      {
        seen = [ ];
        found = null;
      }
      values
    ).found;

  # Values that are right alone and impossible together.
  togetherProblem =
    given:
    let
      cfg = valueOf given;
      inherit (cfg) trust builders rekor;
      count = length (attrNames builders);
      logs = length rekor.logs;
      masters = filter (name: builders.${name}.master) (attrNames builders);
      key = name: builders.${name}.key;
      # Hosts ignore the case of owners and repositories.
      signer =
        name:
        if key name != null then
          head (match "(.*[^\n])\n*" (key name))
        else
          lower "${builders.${name}.issuer} ${builders.${name}.identity}";
      double = twice (map signer (attrNames builders));
      sharing = filter (name: signer name == double) (attrNames builders);
      what = if key (head sharing) == null then "identity" else "key";
      quorum = given.rekor.quorum or null;
      logQuorum = given.rekor.logQuorum or null;
    in
    if length masters > 1 then
      "seedCfg: 'builders.${elemAt masters 1}.master' is true, and so is 'builders.${head masters}.master'; write master = true; for one builder"
    else if double != null then
      "seedCfg: 'builders.${elemAt sharing 1}.${what}' is that of 'builders.${head sharing}' too, so that one builder would count twice; write one of them, or the ${what} of another"
    else if rekor.logs == [ ] then
      "seedCfg: 'rekor.logs' is an empty list; write for example: ${rekorOptions.logs.example}"
    else if twice rekor.logs != null then
      "seedCfg: 'rekor.logs' has ${show (twice rekor.logs)} twice; write each log once"
    else if trust == "innocent" && quorum != null && quorum > 1 then
      "seedCfg: 'rekor.quorum' is ${toString quorum}, but 'trust' is \"innocent\", which counts one builder; write trust = \"credulous\";"
    else if trust != "suspicious" && logQuorum != null && logQuorum > 1 then
      "seedCfg: 'rekor.logQuorum' is ${toString logQuorum}, but 'trust' is ${show trust}, which counts one log; write trust = \"suspicious\";"
    else if trust != "innocent" && count < 2 then
      "seedCfg: 'trust' is ${show trust}, which needs two builders or more, and 'builders' has ${toString count}; write another builder, or trust = \"innocent\";"
    else if quorum != null && quorum > 1 && quorum > count then
      "seedCfg: 'rekor.quorum' is ${toString quorum}, but 'builders' has ${toString count}; write ${upTo count}"
    else if trust != "innocent" && quorum == 1 then
      "seedCfg: 'rekor.quorum' is 1, but 'trust' is ${show trust}, which needs 2 or more; write for example: ${rekorOptions.quorum.example}"
    else if trust == "suspicious" && logs < 2 then
      "seedCfg: 'trust' is \"suspicious\", which needs two logs or more, and 'rekor.logs' has ${toString logs}; write the address of another log, or trust = \"credulous\";"
    else if logQuorum != null && logQuorum > logs then
      "seedCfg: 'rekor.logQuorum' is ${toString logQuorum}, but 'rekor.logs' has ${toString logs}; write ${upTo logs}"
    else if trust == "suspicious" && logQuorum == 1 then
      "seedCfg: 'rekor.logQuorum' is 1, but 'trust' is \"suspicious\", which needs 2 or more; write for example: ${rekorOptions.logQuorum.example}"
    else if trust != "innocent" && masters == [ ] then
      "seedCfg: 'builders.<name>.master' is true for none of the builders, and one has to promote; write for example: builders.${head (attrNames builders)}.master = true;"
    else
      first (map (dependenceProblem builders) (given.independent or [ ]));

  # Two builders that have the one thing in common which 'independent' names, or one of which it is
  # not known.
  dependenceProblem =
    builders: wanted:
    let
      rule = independence.${wanted};
      value = name: rule.value builders.${name};
      unknown = filter (name: value name == null) (attrNames builders);
      double = twice (map value (attrNames builders));
      sharing = filter (name: value name == double) (attrNames builders);
    in
    if unknown != [ ] then
      "seedCfg: 'builders.${head unknown}.${rule.option}' is missing, and 'independent' has ${show wanted}; write for example: builders.${head unknown}.${builderOptions.${rule.option}.example}"
    else if double != null then
      "seedCfg: 'builders.${head sharing}' and 'builders.${elemAt sharing 1}' have one ${wanted}, and 'independent' forbids it: ${show double}; write another builder, or take ${show wanted} out of 'independent'"
    else
      null;

  problem =
    given:
    if !isAttrs given then
      "seedCfg: the argument is ${show given}, which is not a set of options; write for example: mkSeedCfg { trust = \"innocent\"; }"
    else
      first [
        (
          if given.trust or null == "zero" then
            "seedCfg: 'trust' is \"zero\", which this release can't enforce; write for example: trust = \"suspicious\";"
          else
            null
        )
        (check.problemOf {
          who = "seedCfg";
          inherit options given;
          hints = {
            quorum = "write rekor.quorum";
            deadline = "write rekor.deadline";
            logs = "write rekor.logs";
            logQuorum = "write rekor.logQuorum";
          };
        })
        (fieldProblems given)
        (togetherProblem given)
      ];

  seconds =
    value:
    let
      parts = match "([0-9]+)([smh])" value;
      unit = {
        s = 1;
        m = 60;
        h = 3600;
      };
    in
    if isInt value then value else builtins.fromJSON (head parts) * unit.${elemAt parts 1};

  # The whole configuration as data; of `given`, each value alone is right.
  valueOf =
    given:
    let
      rekor = given.rekor or { };
      trust = given.trust or "innocent";
      builders = buildersOf given;
      logs = rekor.logs or [ "https://rekor.sigstore.dev" ];
      or' = value: default: if value == null then default else value;
    in
    {
      version = 1;
      registry = given.registry or null;
      inherit trust builders;
      independent = given.independent or [ ];
      rekor = {
        quorum = or' (rekor.quorum or null) (
          if trust == "innocent" then 1 else length (attrNames builders)
        );
        deadline = seconds (rekor.deadline or "30m");
        inherit logs;
        logQuorum = or' (rekor.logQuorum or null) (if trust == "suspicious" then length logs else 1);
      };
    };
in
{
  inherit problem;

  options =
    options
    // listToAttrs (
      map (name: {
        name = "builders.<name>.${name}";
        value = builderOptions.${name};
      }) (attrNames builderOptions)
      ++ map (name: {
        name = "rekor.${name}";
        value = rekorOptions.${name};
      }) (attrNames rekorOptions)
    );

  make =
    given:
    let
      wrong = problem given;
    in
    if wrong != null then throw wrong else valueOf given;
}
