{ lib }:
let
  github = {
    repository = "acme/app";
    master = true;
  };
  gitlab = {
    repository = "acme/group/app";
  };
  other = {
    issuer = "https://ci.example.org";
    identity = "builder@example.org";
  };
  two = {
    trust = "credulous";
    builders = {
      inherit github gitlab;
    };
  };
  logs = [
    "https://rekor.sigstore.dev"
    "https://log.example.org"
  ];
  three = {
    trust = "suspicious";
    builders = {
      inherit github gitlab other;
    };
    rekor.logs = logs;
  };

  # `given` is for the other reader, the program: tests/unit/nix/seed_cfg_test.cpp.
  value = name: args: want: {
    inherit name want;
    given = args;
    got = lib.mkSeedCfg args;
  };
  right = name: args: {
    inherit name;
    given = args;
    want = null;
    got = lib.problems.seedCfg args;
  };
  wrong = name: args: want: {
    inherit name;
    given = args;
    want = "seedCfg: ${want}";
    got = lib.problems.seedCfg args;
  };
  registry = text: { registry = text; };
  badRegistry =
    text:
    wrong "registry ${text}" (registry text)
      "'registry' is ${builtins.toJSON text}, which is not HOST/NAME in lower case without a tag, or oci:PATH; ${example}registry = \"ghcr.io/acme/app-seed\";";
  builder = given: {
    builders.ci = other // given;
  };
  example = "write for example: ";

  defaults = {
    master = false;
    key = null;
    repositoryId = null;
    ownerId = null;
    registry = null;
    corporateParent = null;
    jurisdiction = null;
    runner = null;
  };

  pem = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----";
  parented = {
    trust = "credulous";
    independent = [
      "corporateParent"
      "owner"
    ];
    builders = {
      github = github // {
        corporateParent = "Microsoft";
      };
      gitlab = gitlab // {
        corporateParent = "GitLab";
      };
    };
  };
in
[
  (value "nothing is given" { } {
    version = 1;
    registry = null;
    trust = "innocent";
    builders = { };
    independent = [ ];
    rekor = {
      quorum = 1;
      deadline = 1800;
      logs = [ "https://rekor.sigstore.dev" ];
      logQuorum = 1;
    };
  })

  (value "known builders are filled in from their repositories" two {
    version = 1;
    registry = null;
    trust = "credulous";
    builders = {
      github = defaults // {
        master = true;
        issuer = "https://token.actions.githubusercontent.com";
        identity = "https://github.com/acme/app/.github/workflows/seed.yml@refs/heads/main";
        repository = "https://github.com/acme/app";
      };
      gitlab = defaults // {
        issuer = "https://gitlab.com";
        identity = "https://gitlab.com/acme/group/app//.gitlab-ci.yml@refs/heads/main";
        repository = "https://gitlab.com/acme/group/app";
      };
    };
    independent = [ ];
    rekor = {
      quorum = 2;
      deadline = 1800;
      logs = [ "https://rekor.sigstore.dev" ];
      logQuorum = 1;
    };
  })

  (value "everything is given"
    {
      registry = "ghcr.io/acme/app-seed";
      trust = "suspicious";
      builders = {
        github = {
          master = true;
          issuer = "https://token.actions.githubusercontent.com";
          identity = "https://github.com/acme/app/.github/workflows/ci.yaml@refs/tags/v1";
          repository = "https://github.com/acme/app";
          repositoryId = "5678";
          ownerId = "1234";
          registry = "ghcr.io/acme/app-seed";
          corporateParent = "Microsoft";
          jurisdiction = "US";
          runner = "ubuntu-24.04";
        };
        gitlab = {
          issuer = "https://git.example.org";
          identity = "https://git.example.org/app//.gitlab-ci.yml@refs/heads/main";
          repository = "https://git.example.org/acme/app";
        };
        inherit other;
        box.key = pem;
      };
      independent = [ ];
      rekor = {
        quorum = 2;
        deadline = "2h";
        inherit logs;
        logQuorum = 2;
      };
    }
    {
      version = 1;
      registry = "ghcr.io/acme/app-seed";
      trust = "suspicious";
      builders = {
        github = {
          master = true;
          issuer = "https://token.actions.githubusercontent.com";
          identity = "https://github.com/acme/app/.github/workflows/ci.yaml@refs/tags/v1";
          repository = "https://github.com/acme/app";
          key = null;
          repositoryId = "5678";
          ownerId = "1234";
          registry = "ghcr.io/acme/app-seed";
          corporateParent = "Microsoft";
          jurisdiction = "US";
          runner = "ubuntu-24.04";
        };
        gitlab = defaults // {
          issuer = "https://git.example.org";
          identity = "https://git.example.org/app//.gitlab-ci.yml@refs/heads/main";
          repository = "https://git.example.org/acme/app";
        };
        other = defaults // other // { repository = null; };
        box = defaults // {
          issuer = null;
          identity = null;
          repository = null;
          key = pem;
        };
      };
      independent = [ ];
      rekor = {
        quorum = 2;
        deadline = 7200;
        inherit logs;
        logQuorum = 2;
      };
    }
  )

  {
    name = "suspicious asks for all builders and all logs unless told otherwise";
    want = [
      3
      2
    ];
    got =
      let
        cfg = lib.mkSeedCfg three;
      in
      [
        cfg.rekor.quorum
        cfg.rekor.logQuorum
      ];
  }
  {
    name = "a deadline is seconds";
    want = [
      90
      1800
      45
    ];
    got =
      map (deadline: (lib.mkSeedCfg { rekor = { inherit deadline; }; }).rekor.deadline)
        [
          "90s"
          "30m"
          45
        ];
  }

  (right "a registry on a port" (registry "localhost:5000/seeds/app"))
  (right "a registry by name" (registry "registry.example.org/a__b/c-d.e_f"))
  (right "a registry at an IPv6 address" (registry "[::1]:5000/app"))
  (right "a layout folder" (registry "oci:/mnt/share/seeds"))
  (badRegistry "ghcr.io/Acme/app")
  (badRegistry "acme/app-seed")
  (badRegistry "ghcr.io")
  (badRegistry "ghcr.io/acme/app:latest")
  (badRegistry "https://ghcr.io/acme/app")
  (badRegistry "oci:")

  (wrong "the argument is no set" "innocent"
    "the argument is \"innocent\", which is not a set of options; ${example}mkSeedCfg { trust = \"innocent\"; }"
  )
  (wrong "a misspelt option" { regsitry = "x"; }
    "there is no option 'regsitry'; the options are: builders, independent, registry, rekor, trust"
  )
  (wrong "an option in the wrong place" { quorum = 2; } "there is no option 'quorum'; write rekor.quorum")
  (wrong "another option in the wrong place" { deadline = "1h"; }
    "there is no option 'deadline'; write rekor.deadline"
  )
  (wrong "an unknown level" { trust = "paranoid"; }
    "'trust' is \"paranoid\", which is not one of \"innocent\", \"credulous\", \"suspicious\"; ${example}trust = \"credulous\";"
  )
  (wrong "a level that can't be enforced" { trust = "zero"; }
    "'trust' is \"zero\", which this release can't enforce; ${example}trust = \"suspicious\";"
  )
  (wrong "builders in a list" { builders = [ github ]; }
    "'builders' is a list, which is not a set of builders by name; ${example}builders.github.repository = \"acme/app\";"
  )
  (wrong "rekor as an address" { rekor = "https://rekor.sigstore.dev"; }
    "'rekor' is \"https://rekor.sigstore.dev\", which is not a set of options; ${example}rekor.quorum = 2;"
  )
  (wrong "a builder that is an address" { builders.github = "acme/app"; }
    "'builders.github' is \"acme/app\", which is not a set of options; ${example}builders.github.repository = \"acme/app\";"
  )
  (wrong "a builder's name" { builders."GitHub CI" = other; }
    "'builders' is \"GitHub CI\", which is not a builder's name: small letters, digits and '-'; ${example}builders.github.repository = \"acme/app\";"
  )

  (wrong "a misspelt field" (builder { master' = true; })
    "there is no option 'builders.ci.master''; the options of 'builders.ci' are: corporateParent, identity, issuer, jurisdiction, key, master, ownerId, registry, repository, repositoryId, runner"
  )
  (wrong "master" (builder { master = "yes"; })
    "'builders.ci.master' is \"yes\", which is not true or false; ${example}master = true;"
  )
  (wrong "an issuer without https" (builder { issuer = "http://ci.example.org"; })
    "'builders.ci.issuer' is \"http://ci.example.org\", which is not an https:// address without a slash at its end; ${example}issuer = \"https://ci.example.org\";"
  )
  (wrong "an issuer with a slash at its end" (builder { issuer = "https://ci.example.org/"; })
    "'builders.ci.issuer' is \"https://ci.example.org/\", which is not an https:// address without a slash at its end; ${example}issuer = \"https://ci.example.org\";"
  )
  (wrong "an identity with a wildcard" (builder { identity = "https://github.com/acme/*"; })
    "'builders.ci.identity' is \"https://github.com/acme/*\", which is not an https:// address or a mail address, whole, without '*'; ${example}identity = \"https://github.com/acme/app/.github/workflows/seed.yml@refs/heads/main\";"
  )
  (wrong "an empty identity" (builder { identity = ""; })
    "'builders.ci.identity' is \"\", which is not an https:// address or a mail address, whole, without '*'; ${example}identity = \"https://github.com/acme/app/.github/workflows/seed.yml@refs/heads/main\";"
  )
  (wrong "a repository without an owner" { builders.github.repository = "app"; }
    "'builders.github.repository' is \"app\", which is not OWNER/NAME on github and gitlab, or an https:// address; ${example}repository = \"acme/app\";"
  )
  (wrong "a repository below a group on github" { builders.github.repository = "acme/group/app"; }
    "'builders.github.repository' is \"acme/group/app\", which is not a repository of github; ${example}repository = \"acme/app\";"
  )
  (wrong "a repository of another host" { builders.github.repository = "https://gitlab.com/acme/app"; }
    "'builders.github.repository' is \"https://gitlab.com/acme/app\", which is not a repository of github; ${example}repository = \"acme/app\";"
  )
  (wrong "a repository on no host" (builder { repository = "acme/app"; })
    "'builders.ci.repository' is \"acme/app\", which is not an https:// address, and only for github and gitlab is the host known; ${example}repository = \"https://git.example.org/acme/app\";"
  )
  (wrong "plain http to another machine's repository" (builder { repository = "http://git.example.org/acme/app"; })
    "'builders.ci.repository' is \"http://git.example.org/acme/app\", which is not OWNER/NAME on github and gitlab, or an https:// address; ${example}repository = \"acme/app\";"
  )
  (right "plain http on this machine" (builder {
    issuer = "http://127.0.0.1:18080";
    repository = "http://localhost:3000/acme/app";
  }))
  (wrong "a key that is none" (builder { key = "MFkw"; })
    "'builders.ci.key' is \"MFkw\", which is not a public key in PEM; ${example}key = builtins.readFile ./builder.pub;"
  )
  (wrong "a key beside an issuer" (builder { key = pem; })
    "'builders.ci.key' is given, and so is 'builders.ci.issuer'; write the key of a builder that signs with a key, or the issuer and identity of one that signs with a certificate"
  )
  (wrong "a key beside an identity"
    { builders.ci = { inherit (other) identity; key = pem; }; }
    "'builders.ci.key' is given, and so is 'builders.ci.identity'; write the key of a builder that signs with a key, or the issuer and identity of one that signs with a certificate"
  )
  (wrong "a key's repository on no host"
    { builders.ci = { repository = "acme/app"; key = pem; }; }
    "'builders.ci.repository' is \"acme/app\", which is not an https:// address, and only for github and gitlab is the host known; ${example}repository = \"https://git.example.org/acme/app\";"
  )
  (wrong "a repository's number as a number" (builder { repositoryId = 5678; })
    "'builders.ci.repositoryId' is 5678, which is not a number as text; ${example}repositoryId = \"5678\";"
  )
  (wrong "an owner's number that is a name" (builder { ownerId = "acme"; })
    "'builders.ci.ownerId' is \"acme\", which is not a number as text; ${example}ownerId = \"1234\";"
  )
  (wrong "a builder's registry with a tag" (builder { registry = "ghcr.io/acme/app:latest"; })
    "'builders.ci.registry' is \"ghcr.io/acme/app:latest\", which is not HOST/NAME in lower case without a tag, or oci:PATH; ${example}registry = \"ghcr.io/acme/app-seed\";"
  )
  (wrong "runner" (builder { runner = "a\nb"; })
    "'builders.ci.runner' is \"a\\nb\", which is not a line of text; ${example}runner = \"ubuntu-24.04\";"
  )
  (wrong "an identity on a known host without a repository"
    {
      builders.shared = {
        issuer = "https://token.actions.githubusercontent.com";
        identity = "https://github.com/0compute/nix-seed/.github/workflows/ci.yaml@refs/tags/v1";
      };
    }
    "'builders.shared.repository' is missing, and anyone's job may call the identity's workflow; ${example}builders.shared.repository = \"acme/app\";"
  )
  (wrong "one key under two names"
    {
      builders = {
        one.key = pem;
        two.key = pem + "\n";
      };
    }
    "'builders.two.key' is that of 'builders.one' too, so that one builder would count twice; write one of them, or the key of another"
  )
  (wrong "no master" (two // { builders = { inherit gitlab other; }; })
    "'builders.<name>.master' is true for none of the builders, and one has to promote; ${example}builders.gitlab.master = true;"
  )
  (right "builders with all that is asked for" parented)
  (wrong "independent as a word" (two // { independent = "owner"; })
    "'independent' is \"owner\", which is not a list of words; ${example}independent = [ \"corporateParent\" ];"
  )
  (wrong "independent of what there is not" (two // { independent = [ "colour" ]; })
    "'independent[0]' is \"colour\", which is not one of \"owner\", \"corporateParent\", \"jurisdiction\", \"runner\"; ${example}independent = [ \"corporateParent\" ];"
  )
  (wrong "independent of what is not known" (two // { independent = [ "jurisdiction" ]; })
    "'builders.github.jurisdiction' is missing, and 'independent' has \"jurisdiction\"; ${example}builders.github.jurisdiction = \"FR\";"
  )
  (wrong "two builders of one parent"
    (parented // {
      builders = parented.builders // {
        gitlab = gitlab // { corporateParent = "Microsoft"; };
      };
    })
    "'builders.github' and 'builders.gitlab' have one corporateParent, and 'independent' forbids it: \"Microsoft\"; write another builder, or take \"corporateParent\" out of 'independent'"
  )
  (wrong "two builders of one owner"
    {
      trust = "credulous";
      independent = [ "owner" ];
      builders = {
        inherit github;
        second = {
          issuer = "https://token.actions.githubusercontent.com";
          identity = "https://github.com/ACME/other/.github/workflows/seed.yml@refs/heads/main";
          repository = "https://github.com/ACME/other";
        };
      };
    }
    "'builders.github' and 'builders.second' have one owner, and 'independent' forbids it: \"https://github.com/acme\"; write another builder, or take \"owner\" out of 'independent'"
  )

  (wrong "corporateParent" (builder { corporateParent = [ ]; })
    "'builders.ci.corporateParent' is an empty list, which is not a line of text; ${example}corporateParent = \"Microsoft\";"
  )
  (wrong "jurisdiction" (builder { jurisdiction = "France"; })
    "'builders.ci.jurisdiction' is \"France\", which is not a code of two capital letters; ${example}jurisdiction = \"FR\";"
  )

  (wrong "a known builder without a repository" { builders.github = { }; }
    "'builders.github.repository' is missing, from which the identity follows; ${example}builders.github.repository = \"acme/app\";"
  )
  (wrong "an unknown builder without an issuer" { builders.ci.identity = "a@example.org"; }
    "'builders.ci.issuer' is missing, and only those of github and gitlab are known; ${example}builders.ci.issuer = \"https://ci.example.org\";"
  )
  (wrong "an unknown builder without an identity" { builders.ci.issuer = "https://ci.example.org"; }
    "'builders.ci.identity' is missing; ${example}builders.ci.identity = \"https://github.com/acme/app/.github/workflows/seed.yml@refs/heads/main\";"
  )
  (wrong "a known name with another issuer has no known identity"
    {
      builders.gitlab = {
        issuer = "https://git.example.org";
        repository = "acme/app";
      };
    }
    "'builders.gitlab.identity' is missing; ${example}builders.gitlab.identity = \"https://github.com/acme/app/.github/workflows/seed.yml@refs/heads/main\";"
  )
  (wrong "two masters"
    {
      builders = {
        github = github // {
          master = true;
        };
        gitlab = gitlab // {
          master = true;
        };
      };
    }
    "'builders.gitlab.master' is true, and so is 'builders.github.master'; write master = true; for one builder"
  )
  (wrong "one builder under two names"
    {
      builders = {
        one = other;
        two = other // {
          identity = "BUILDER@example.org";
        };
      };
    }
    "'builders.two.identity' is that of 'builders.one' too, so that one builder would count twice; write one of them, or the identity of another"
  )

  (wrong "a misspelt field of rekor" { rekor.qourum = 2; }
    "there is no option 'rekor.qourum'; the options of 'rekor' are: deadline, logQuorum, logs, quorum"
  )
  (wrong "a quorum of none" { rekor.quorum = 0; }
    "'rekor.quorum' is 0, which is not a whole number from 1 on; ${example}quorum = 2;"
  )
  (wrong "a quorum as text" { rekor.quorum = "2"; }
    "'rekor.quorum' is \"2\", which is not a whole number from 1 on; ${example}quorum = 2;"
  )
  (wrong "a deadline without a unit" { rekor.deadline = "30"; }
    "'rekor.deadline' is \"30\", which is not a time such as \"30m\", or a whole number from 1 on; ${example}deadline = \"30m\";"
  )
  (wrong "a deadline of nothing" { rekor.deadline = "0m"; }
    "'rekor.deadline' is \"0m\", which is not a time such as \"30m\", or a whole number from 1 on; ${example}deadline = \"30m\";"
  )
  (wrong "one log as text" { rekor.logs = "https://rekor.sigstore.dev"; }
    "'rekor.logs' is \"https://rekor.sigstore.dev\", which is not a list of https:// addresses; ${example}logs = [ \"https://rekor.sigstore.dev\" ];"
  )
  (wrong "a log without https" { rekor.logs = [ "rekor.sigstore.dev" ]; }
    "'rekor.logs[0]' is \"rekor.sigstore.dev\", which is not an https:// address without a slash at its end; ${example}logs = [ \"https://rekor.sigstore.dev\" ];"
  )
  (wrong "no logs" { rekor.logs = [ ]; }
    "'rekor.logs' is an empty list; ${example}logs = [ \"https://rekor.sigstore.dev\" ];"
  )
  (wrong "a log twice" { rekor.logs = logs ++ logs; }
    "'rekor.logs' has \"https://rekor.sigstore.dev\" twice; write each log once"
  )
  (wrong "logQuorum" { rekor.logQuorum = 1.5; }
    "'rekor.logQuorum' is 1.5, which is not a whole number from 1 on; ${example}logQuorum = 2;"
  )

  (wrong "innocent with a quorum" (two // { trust = "innocent"; rekor.quorum = 2; })
    "'rekor.quorum' is 2, but 'trust' is \"innocent\", which counts one builder; write trust = \"credulous\";"
  )
  (wrong "credulous with a quorum of logs"
    (two // { rekor = { inherit logs; logQuorum = 2; }; })
    "'rekor.logQuorum' is 2, but 'trust' is \"credulous\", which counts one log; write trust = \"suspicious\";"
  )
  (wrong "credulous with one builder" { trust = "credulous"; builders = { inherit github; }; }
    "'trust' is \"credulous\", which needs two builders or more, and 'builders' has 1; write another builder, or trust = \"innocent\";"
  )
  (wrong "a quorum above the number of builders" (two // { rekor.quorum = 3; })
    "'rekor.quorum' is 3, but 'builders' has 2; write 2"
  )
  (wrong "a quorum above the number of three builders" (three // { rekor = { inherit logs; quorum = 4; }; })
    "'rekor.quorum' is 4, but 'builders' has 3; write a number from 2 to 3"
  )
  (wrong "a quorum of one" (two // { rekor.quorum = 1; })
    "'rekor.quorum' is 1, but 'trust' is \"credulous\", which needs 2 or more; ${example}quorum = 2;"
  )
  (wrong "suspicious with one log" (three // { rekor = { }; })
    "'trust' is \"suspicious\", which needs two logs or more, and 'rekor.logs' has 1; write the address of another log, or trust = \"credulous\";"
  )
  (wrong "a quorum above the number of logs" (three // { rekor = { inherit logs; logQuorum = 3; }; })
    "'rekor.logQuorum' is 3, but 'rekor.logs' has 2; write 2"
  )
  (wrong "a quorum of one log" (three // { rekor = { inherit logs; logQuorum = 1; }; })
    "'rekor.logQuorum' is 1, but 'trust' is \"suspicious\", which needs 2 or more; ${example}logQuorum = 2;"
  )
]
