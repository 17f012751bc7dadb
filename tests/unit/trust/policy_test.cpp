#include "trust/policy.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::trust {
namespace {

// openssl ecparam -name prime256v1 -genkey -noout | openssl ec -pubout
constexpr const char* kKey =
    "-----BEGIN PUBLIC KEY-----\\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEP1JeQCRjrepG0SeV5DVGXpBK1i8s\\n"
    "uXnV41J6TvzWQQpIFZpIpZLAwS+9Rv7MUTGxBF+TsDonX4NkqKJQ0iy78g==\\n"
    "-----END PUBLIC KEY-----\\n";

const std::string kIssuer = "https://token.actions.githubusercontent.com";

std::string with_identity(const std::string& members) {
  return R"({"version":1,"identities":[{"issuer":")" + kIssuer + "\"" + members + "}]}";
}

const std::string kRepository = R"(,"sourceRepositoryUri":"https://github.com/octo/app")";

}  // namespace

TEST_CASE("a policy file says whom to believe, and of what") {
  const Policy policy = parse_policy(
      R"({"version":1,"identities":[{"issuer":"https://token.actions.githubusercontent.com",)"
      R"("subject":"https://github.com/octo/app/.github/workflows/ci.yml@refs/heads/main",)"
      R"("sourceRepositoryUri":"https://github.com/octo/app","sourceRef":"refs/heads/main",)"
      R"("sourceRepositoryId":"7","runnerEnvironment":"github-hosted","buildTrigger":"push"},)"
      R"({"issuer":"https://gitlab.com","sourceRepositoryUri":"https://gitlab.com/octo/app"}],)"
      R"("predicateTypes":["https://slsa.dev/provenance/v1"],"buildTypes":["t"],)"
      R"("builderIds":["b"],"source":"https://github.com/octo/app","logs":2,"times":2,)"
      R"("certificateLogs":1})");
  REQUIRE(policy.identities.size() == 2);
  CHECK(policy.identities.at(0).issuer == kIssuer);
  CHECK(policy.identities.at(0).source_ref == "refs/heads/main");
  CHECK(policy.identities.at(0).runner_environment == "github-hosted");
  CHECK_FALSE(policy.identities.at(1).subject);
  CHECK(policy.build_types == std::vector<std::string>{"t"});
  CHECK(policy.builder_ids == std::vector<std::string>{"b"});
  CHECK(policy.source == "https://github.com/octo/app");
  CHECK(policy.logs == 2);
  CHECK(parse_policy(to_json(policy)) == policy);
}

TEST_CASE("a policy may believe keys alone, and ask for no log") {
  const Policy policy =
      parse_policy(R"({"version":1,"logs":0,"times":0,"keys":[")" + std::string(kKey) + "\"]}");
  REQUIRE(policy.keys.size() == 1);
  CHECK(policy.keys.front().type() == sigstore::KeyType::p256);
  CHECK(policy.logs == 0);
  CHECK(parse_policy(to_json(policy)) == policy);
}

TEST_CASE("a policy's defaults are provenance, one log, one time") {
  const Policy policy = parse_policy(with_identity(kRepository));
  CHECK(policy.predicate_types == std::vector<std::string>{"https://slsa.dev/provenance/v1"});
  CHECK(policy.logs == 1);
  CHECK(policy.times == 1);
  CHECK(policy.certificate_logs == 1);
  CHECK(parse_policy(to_json(policy)) == policy);
}

TEST_CASE("a policy that says less than it seems is refused") {
  struct Case {
    std::string text;
    std::string message;
  };

  const std::vector<Case> cases{
      {R"({"identities":[]})", "the policy has no version 1"},
      {R"({"version":2})", "the policy has no version 1"},
      {R"({"version":1})", "the policy believes nobody: it has neither 'identities' nor 'keys'"},
      {R"({"version":1,"identities":[]})", "'identities' is no list of 1 to 1000 entries"},
      {R"({"version":1,"identities":{}})", "'identities' is no list of 1 to 1000 entries"},
      {R"({"version":1,"identities":[7]})", "an entry of 'identities' is no object"},
      {R"({"version":1,"identity":[]})", "a policy has no member 'identity'"},
      {with_identity(R"(,"repository":"x")"), "an identity has no member 'repository'"},
      {with_identity(R"(,"subject":7)"), "'subject' is no text, or an empty one"},
      {with_identity(R"(,"subject":"")"), "'subject' is no text, or an empty one"},
      {with_identity(R"(,"subject":"https://github.com/octo/*")"),
       "'subject' is 'https://github.com/octo/*', which looks like a pattern"},
      {with_identity(R"(,"subject":"^https://github.com/octo/app")"),
       "'subject' is '^https://github.com/octo/app', which looks like a pattern"},
      {R"({"version":1,"logs":-1})", "'logs' is no whole number from 0 to 100"},
      {R"({"version":1,"logs":101})", "'logs' is no whole number from 0 to 100"},
      {R"({"version":1,"logs":1.5})", "'logs' is no whole number from 0 to 100"},
      {R"({"version":1,"predicateTypes":[]})", "'predicateTypes' is no list of 1 to 1000 entries"},
      {R"({"version":1,"times":0,"identities":[{"issuer":"i","subject":"s"}]})",
       "'times' is 0, and identities need a proven time"},
  };
  for (const Case& bad : cases) {
    INFO(bad.text);
    CHECK_THROWS_WITH(parse_policy(bad.text), bad.message);
  }
  CHECK_THROWS_AS(parse_policy(R"({"version":1,"version":1})"), FormatError);
  CHECK_THROWS_AS(parse_policy(R"({"version":1,"keys":["x"]})"), FormatError);
  // Anyone who has an account with the issuer would do.
  CHECK_THROWS_AS(parse_policy(with_identity("")), UsageError);
  CHECK_THROWS_AS(parse_policy(with_identity(R"(,"sourceRef":"refs/heads/main")")), UsageError);
}

TEST_CASE("the CI of a repository is known for the hosts that the public authority knows") {
  const auto github = identity_of_source("https://github.com/octo/app", "7");
  REQUIRE(github);
  CHECK(github->issuer == kIssuer);
  CHECK(github->source_repository_uri == "https://github.com/octo/app");
  CHECK(github->source_repository_id == "7");
  const auto gitlab = identity_of_source("https://gitlab.com/group/sub/app", "");
  REQUIRE(gitlab);
  CHECK(gitlab->issuer == "https://gitlab.com");
  CHECK_FALSE(gitlab->source_repository_id);
  for (const char* other : {"",
                            "https://github.com/",
                            "https://github.com.evil.test/octo/app",
                            "http://github.com/octo/app",
                            "https://git.example.org/octo/app"}) {
    INFO(other);
    CHECK_FALSE(identity_of_source(other, ""));
  }
}

TEST_CASE("our own provenance is read back") {
  const BuildFacts facts{
      .build_type = std::string(kSeedBuildType),
      .subjects = {{"image", Digest::of("image")}},
      .external = {{"source", "https://github.com/octo/app"},
                   {"key", "k-1"},
                   {"system", "x86_64-linux"}},
      .materials = {{.name = "source",
                     .uri = "git+https://github.com/octo/app",
                     .digest = {{"gitCommit", "c0ffee"}}},
                    {.name = "flake.lock", .uri = "", .digest = {{"sha256", "abc"}}},
                    {.name = "input nixpkgs",
                     .uri = "github:NixOS/nixpkgs",
                     .digest = {{"gitCommit", "dead"}}}},
      .builder = {.id = "https://github.com/octo/app/.github/workflows/ci.yml@refs/heads/main"}};
  const auto statement = sigstore::parse_statement(provenance_statement(facts));
  const Provenance provenance = read_provenance(statement.predicate);
  CHECK(provenance.build_type == kSeedBuildType);
  CHECK(provenance.builder_id == facts.builder.id);
  CHECK(provenance.source == "https://github.com/octo/app");
  CHECK(provenance.commit == "c0ffee");
  CHECK(provenance.lock == "abc");
  CHECK(provenance.key == "k-1");
  CHECK(provenance.system == "x86_64-linux");
}

// actions/attest, provenance.ts
TEST_CASE("GitHub's own provenance is read") {
  const Provenance provenance = read_provenance(
      R"({"buildDefinition":{"buildType":"https://actions.github.io/buildtypes/workflow/v1",)"
      R"("externalParameters":{"workflow":{"ref":"refs/heads/main",)"
      R"("repository":"https://github.com/octo/app","path":".github/workflows/ci.yml"}},)"
      R"("resolvedDependencies":[{"uri":"git+https://github.com/octo/app@refs/heads/main",)"
      R"("digest":{"gitCommit":"c0ffee"}}]},"runDetails":{"builder":{"id":"b"}}})");
  CHECK(provenance.source == "https://github.com/octo/app");
  CHECK(provenance.commit == "c0ffee");
  CHECK(provenance.builder_id == "b");
}

TEST_CASE("what is no provenance is refused") {
  for (
      const char* text :
      {"[]",
       "{}",
       R"({"buildDefinition":{"buildType":"t"}})",
       R"({"buildDefinition":{"buildType":"t"},"runDetails":{}})",
       R"({"buildDefinition":{"buildType":7},"runDetails":{"builder":{"id":"b"}}})",
       R"({"buildDefinition":{"buildType":"t"},"runDetails":{"builder":{"id":"b"}},"runDetails":{}})"}) {
    INFO(text);
    CHECK_THROWS_AS(read_provenance(text), FormatError);
  }
}

}  // namespace seed::trust
