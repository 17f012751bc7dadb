# The options of `seedCfg`, in the form that ./check.nix describes.
let
  inherit (import ./check.nix)
    bool
    either
    enum
    integer
    listOf
    nullOr
    set
    string
    ;

  # One spelling for each address: no slash at its end, no user, query, fragment or wildcard.  Plain
  # http is for this machine alone.
  url = string "an https:// address without a slash at its end" "(https://[a-z0-9.-]+|http://(localhost|127\\.0\\.0\\.1|\\[::1]))(:[0-9]+)?(/[A-Za-z0-9._~%+-]+)*";

  # distribution-spec, "Pulling manifests": names are lower case.
  registry = string "HOST/NAME in lower case without a tag, or oci:PATH" "([a-z0-9]+([.-][a-z0-9]+)*\\.[a-z0-9]+([.-][a-z0-9]+)*|localhost|[a-z0-9.-]+:[0-9]+|\\[[0-9a-f:]+](:[0-9]+)?)(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)+|oci:[^[:cntrl:]]+";

  # A certificate's subject, whole.
  identity = string "an https:// address or a mail address, whole, without '*'" "https://[^*?[:space:][:cntrl:]]+|[^*@/[:space:][:cntrl:]]+@[^*@/[:space:][:cntrl:]]+";

  repository = string "OWNER/NAME on github and gitlab, or an https:// address" "(https://[A-Za-z0-9.-]+(:[0-9]+)?/|http://(localhost|127\\.0\\.0\\.1)(:[0-9]+)?/)?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+";

  # SubjectPublicKeyInfo (RFC 7468 §13).
  key = string "a public key in PEM" "-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n?";

  line = string "a line of text" "[^[:cntrl:]]{1,100}";
  number = string "a number as text" "[0-9]{1,20}";

  # "90s", "30m", "2h", or seconds.
  duration =
    either (string "a time such as \"30m\"" "[1-9][0-9]{0,5}[smh]") (integer 1);

  levels = [
    "innocent"
    "credulous"
    "suspicious"
  ];

in
{
  options = {
    registry = {
      type = nullOr registry;
      default = "null";
      example = "registry = \"ghcr.io/acme/app-seed\";";
      doc = "The repository for seeds, where neither `--registry` nor `NIX_SEED_REGISTRY` names one. null: the CI host's own.";
    };
    trust = {
      type = enum levels;
      default = "`\"innocent\"`";
      example = "trust = \"credulous\";";
      doc = "`innocent`: one builder and one log. `credulous`: `rekor.quorum` of the builders agree. `suspicious`: and `rekor.logQuorum` of the logs.";
    };
    builders = {
      type = set "a set of builders by name";
      default = "`{ }`";
      example = "builders.github.repository = \"acme/app\";";
      doc = "Who builds, by name. `github` and `gitlab` are known: their issuer and identity follow from `repository`.";
    };
    independent = {
      list = true;
      type = listOf "words" (enum [
        "owner"
        "corporateParent"
        "jurisdiction"
        "runner"
      ]);
      default = "`[ ]`";
      example = "independent = [ \"corporateParent\" ];";
      doc = "What no two builders may have in common: `owner` (of the repository), `corporateParent`, `jurisdiction`, `runner`. Without, what they share is only told.";
    };
    rekor = {
      type = set "a set of options";
      default = "`{ }`";
      example = "rekor.quorum = 2;";
      doc = "How many builders and logs have to agree, and until when.";
    };
  };

  builderOptions = {
    master = {
      type = bool;
      default = "false";
      example = "master = true;";
      doc = "Whether this builder promotes what the others agree on. Exactly one does, where `trust` is not `innocent`.";
    };
    issuer = {
      type = nullOr url;
      default = "that of `github` and `gitlab`; must be given for others";
      example = "issuer = \"https://ci.example.org\";";
      doc = "Who says what the builder is called: the OIDC issuer, exactly.";
    };
    identity = {
      type = nullOr identity;
      default = "from `repository`, for `github` and `gitlab`; must be given for others";
      example = "identity = \"https://github.com/acme/app/.github/workflows/seed.yml@refs/heads/main\";";
      doc = "What the issuer calls the builder, exactly.";
    };
    repository = {
      type = nullOr repository;
      default = "null";
      example = "repository = \"acme/app\";";
      doc = "The repository whose jobs the builder runs. On github and gitlab the certificate has to name it too.";
    };
    key = {
      type = nullOr key;
      default = "null";
      example = "key = builtins.readFile ./builder.pub;";
      doc = "The public key of a builder that signs with a key file: instead of issuer and identity.";
    };
    repositoryId = {
      type = nullOr number;
      default = "null";
      example = "repositoryId = \"5678\";";
      doc = "The host's own number for the repository, which a new one of the same name has not.";
    };
    ownerId = {
      type = nullOr number;
      default = "null";
      example = "ownerId = \"1234\";";
      doc = "The host's own number for the repository's owner.";
    };
    registry = {
      type = nullOr registry;
      default = "null";
      example = "registry = \"ghcr.io/acme/app-seed\";";
      doc = "Where the builder pushes, if not to `registry`: `promote` looks for attestations there too.";
    };
    runner = {
      type = nullOr line;
      default = "null";
      example = "runner = \"ubuntu-24.04\";";
      doc = "The image of the machine that builds: two with one image trust whoever made it.";
    };
    corporateParent = {
      type = nullOr line;
      default = "null";
      example = "corporateParent = \"Microsoft\";";
      doc = "Who owns the builder: two with one owner are not independent.";
    };
    jurisdiction = {
      type = nullOr (string "a code of two capital letters" "[A-Z]{2}");
      default = "null";
      example = "jurisdiction = \"FR\";";
      doc = "Whose law the builder is under.";
    };
  };

  rekorOptions = {
    quorum = {
      type = nullOr (integer 1);
      default = "all builders; 1 where `trust` is `innocent`";
      example = "quorum = 2;";
      doc = "How many builders have to agree on the same bytes.";
    };
    deadline = {
      type = duration;
      default = "`\"30m\"`";
      example = "deadline = \"30m\";";
      doc = "How long to wait for them: seconds, or a number with `s`, `m` or `h`.";
    };
    logs = {
      list = true;
      type = listOf "https:// addresses" url;
      default = "`[ \"https://rekor.sigstore.dev\" ]`";
      example = "logs = [ \"https://rekor.sigstore.dev\" ];";
      doc = "The transparency logs.";
    };
    logQuorum = {
      type = nullOr (integer 1);
      default = "all logs where `trust` is `suspicious`; otherwise 1";
      example = "logQuorum = 2;";
      doc = "How many of the logs have to hold an entry.";
    };
  };
}
