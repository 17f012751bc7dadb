#include "trust/builders.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/key_builder.hpp"

namespace seed::trust {
namespace {

using nlohmann::json;

json three() {
  return {{"trust", "credulous"},
          {"registry", "ghcr.io/acme/app-seed"},
          {"builders",
           {{"github",
             {{"master", true},
              {"repository", "acme/app"},
              {"corporateParent", "Microsoft"},
              {"jurisdiction", "US"},
              {"runner", "ubuntu-24.04"}}},
            {"gitlab",
             {{"repository", "acme/app"},
              {"corporateParent", "GitLab"},
              {"jurisdiction", "US"},
              {"runner", "saas-linux-small-amd64"}}},
            {"azure",
             {{"issuer", "https://ci.example.org"},
              {"identity", "builder@example.org"},
              {"corporateParent", "Microsoft"},
              {"jurisdiction", "FR"}}}}},
          {"rekor", {{"quorum", 2}, {"deadline", "10m"}}}};
}

}  // namespace

TEST_CASE("a known host's builder is held to its repository as well as to its workflow") {
  const QuorumPolicy policy = QuorumPolicy::parse(three().dump());
  const auto& identity = std::get<sigstore::Identity>(policy.builder("github")->who);
  CHECK(identity.issuer == "https://token.actions.githubusercontent.com");
  CHECK(identity.subject ==
        "https://github.com/acme/app/.github/workflows/seed.yml@refs/heads/main");
  CHECK(identity.source_repository_uri == "https://github.com/acme/app");
  CHECK(policy.master()->name == "github");
  CHECK(policy.builder_of(identity)->name == "github");
  CHECK(policy.builder("nobody") == nullptr);
  CHECK(policy.keyless().identities.size() == 3);
}

TEST_CASE("a log is named by host and path, whatever its scheme") {
  const QuorumPolicy policy = QuorumPolicy::parse(three().dump());
  CHECK(policy.is_log("https://rekor.sigstore.dev"));
  CHECK(policy.is_log("http://rekor.sigstore.dev/"));
  CHECK_FALSE(policy.is_log("https://log2025-1.rekor.sigstore.dev"));
  CHECK_FALSE(policy.is_log("https://rekor.sigstore.dev.example.org"));
}

TEST_CASE("a policy without builders, or with a key that is none, is refused by name") {
  CHECK_THROWS_WITH(QuorumPolicy::parse("{}"),
                    "seedCfg: 'builders' is empty, so that nobody's word counts");
  const std::string pem = "-----BEGIN PUBLIC KEY-----\nMFkw\n-----END PUBLIC KEY-----\n";
  try {
    QuorumPolicy::parse(json{{"builders", {{"box", {{"key", pem}}}}}}.dump());
    FAIL("it is no key");
  } catch (const FormatError& error) {
    CHECK(error.message().starts_with("seedCfg: 'builders.box': "));
  }
}

TEST_CASE("one key in two spellings is one builder") {
  const std::string pem = test::KeyBuilder().pem();
  std::string other = pem;
  const std::size_t body = other.find('\n') + 1;
  other.insert(body + 20, "\n");
  const json cfg{{"trust", "credulous"},
                 {"builders", {{"a", {{"key", pem}, {"master", true}}}, {"b", {{"key", other}}}}}};
  // PEM readers differ in whether they take short lines; none may count the key twice.
  CHECK_THROWS_AS(QuorumPolicy::parse(cfg.dump()), FormatError);
}

TEST_CASE("what builders share is named, and the policy can forbid it") {
  const QuorumPolicy policy = QuorumPolicy::parse(three().dump());
  CHECK(policy.dependences() ==
        std::vector<Dependence>{{"azure", "github", "corporateParent", "Microsoft"},
                                {"github", "gitlab", "jurisdiction", "US"}});
  json strict = three();
  strict["independent"] = {"corporateParent"};
  CHECK_THROWS_WITH(QuorumPolicy::parse(strict.dump()),
                    "seedCfg: 'builders.azure' and 'builders.github' have one corporateParent, and "
                    "'independent' forbids it: \"Microsoft\"");
}

TEST_CASE("who signs with a key needs no log unless the level asks for several") {
  json cfg = three();
  cfg["builders"]["box"] = {{"key", test::KeyBuilder().pem()}};
  const QuorumPolicy credulous = QuorumPolicy::parse(cfg.dump());
  CHECK(credulous.logs_needed(*credulous.builder("box")) == 0);
  CHECK(credulous.logs_needed(*credulous.builder("github")) == 1);
  cfg["trust"] = "suspicious";
  cfg["rekor"]["logs"] = {"https://rekor.sigstore.dev", "https://log.example.org"};
  const QuorumPolicy suspicious = QuorumPolicy::parse(cfg.dump());
  CHECK(suspicious.logs_needed(*suspicious.builder("box")) == 2);
}

TEST_CASE("a policy's digest is that of what it decides by") {
  const Digest digest = QuorumPolicy::parse(three().dump()).digest();
  CHECK(QuorumPolicy::parse(three().dump(4)).digest() == digest);
  json other = three();
  other["rekor"]["quorum"] = 3;
  CHECK(QuorumPolicy::parse(other.dump()).digest() != digest);
}

TEST_CASE("a policy is explained in plain words") {
  CHECK(test::golden("trust/policy-explained.txt", explain(QuorumPolicy::parse(three().dump()))));
}

}  // namespace seed::trust
