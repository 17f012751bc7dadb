#include "trust/cluster_policy.hpp"

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "trust/yaml.hpp"

using namespace seed;
using namespace seed::trust;
using nlohmann::json;

namespace {

constexpr const char* kIssuer = "https://token.actions.githubusercontent.com";
constexpr const char* kSubject =
    "https://github.com/acme/app/.github/workflows/seed.yml@refs/heads/main";

json one() {
  return {
      {"version", 1},
      {"identities", {{{"issuer", kIssuer}, {"subject", kSubject}, {"sourceRepositoryId", "123"}}}},
      {"buildTypes", {"https://nix-seed.dev/buildtypes/seed/v1"}}};
}

json three() {
  json policy = one();
  policy["identities"].push_back(
      {{"issuer", "https://gitlab.com"},
       {"subject", "https://gitlab.com/acme/app//.gitlab-ci.yml@refs/heads/main"}});
  policy["keys"] = {
      "-----BEGIN PUBLIC KEY-----\n"
      "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2G2Y+2tabdTV5BcGiBIx0a9fAFwr\n"
      "kBbmLSGtks4L3qX6yYY0zufBnhC8Ur/iy55GhWP/9A/bY2LhC30M9+RYtw==\n"
      "-----END PUBLIC KEY-----\n"};
  policy["buildTypes"].push_back("https://example.com/it's \"another\"");
  policy["logs"] = 2;
  return policy;
}

std::string print(Cluster cluster,
                  const json& policy,
                  const Admission& admission = {.images = {"ghcr.io/acme/app-seed"}}) {
  return cluster_manifest(cluster, parse_policy(policy.dump()), admission);
}

std::string refusal(const json& policy,
                    const Admission& admission = {.images = {"ghcr.io/acme/app-seed"}},
                    Cluster cluster = Cluster::kyverno) {
  try {
    print(cluster, policy, admission);
  } catch (const Error& error) {
    return error.message();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a policy is printed for each kind of cluster as in the goldens") {
  const Admission quorum{.name = "two-of-three",
                         .images = {"ghcr.io/acme/*", "registry.example:5000/app"},
                         .quorum = 2};
  for (const Cluster cluster :
       {Cluster::kyverno, Cluster::kyverno_images, Cluster::policy_controller}) {
    json several = three();
    if (cluster == Cluster::policy_controller) {
      several.erase("keys");
    }
    const std::string name = "trust/cluster/" + std::string(to_string(cluster));
    CHECK(test::golden(name + ".yaml", print(cluster, one())));
    CHECK(test::golden(name + "-quorum.yaml", print(cluster, several, quorum)));
  }
}

TEST_CASE("kinds of clusters are known by their names") {
  for (const char* name : {"kyverno", "kyverno-images", "policy-controller"}) {
    REQUIRE(parse_cluster(name));
    CHECK(to_string(*parse_cluster(name)) == name);
  }
  CHECK_FALSE(parse_cluster("opa"));
}

TEST_CASE("who signs by key alone is asked for no log and no time where the policy asks for none") {
  json policy = three();
  policy.erase("identities");
  policy["logs"] = policy["times"] = policy["certificateLogs"] = 0;
  CHECK(print(Cluster::kyverno, policy).find("ignoreTlog: true") != std::string::npos);
  CHECK(print(Cluster::kyverno, policy).find("ignoreSCT: true") != std::string::npos);
  CHECK(print(Cluster::kyverno_images, policy).find("insecureIgnoreTlog: true") !=
        std::string::npos);
  CHECK(refusal(policy, {.images = {"ghcr.io/acme/app"}}, Cluster::policy_controller) ==
        "policy-controller can't verify a bundle by a key, and admits no image for one");
}

TEST_CASE("what clusters can't be asked is refused, with what to change") {
  json policy = one();
  SECTION("an identity without a subject") {
    policy["identities"][0].erase("subject");
    CHECK(refusal(policy) ==
          "an identity of 'https://token.actions.githubusercontent.com' has no 'subject', and "
          "clusters compare nothing else");
  }
  SECTION("a subject that would be a pattern") {
    policy["identities"][0]["subject"] = "https://github.com/acme/app?";
    CHECK(refusal(policy) ==
          "the subject 'https://github.com/acme/app?' has a '*' or '?', which clusters take for a "
          "pattern");
  }
  SECTION("what would be a variable, anywhere") {
    const std::string text = "https://example.com/{{ request }}";
    const std::string why = "'" + text + "' has '{{' or '$(', which clusters take for a variable";
    policy["buildTypes"] = {text};
    CHECK(refusal(policy) == why);
    policy = one();
    policy["identities"][0]["subject"] = text;
    CHECK(refusal(policy) == why);
    policy = one();
    policy["identities"][0]["issuer"] = text;
    CHECK(refusal(policy) == why);
    policy = one();
    policy["predicateTypes"] = {"$(./../name)"};
    CHECK(refusal(policy) == "'$(./../name)' has '{{' or '$(', which clusters take for a variable");
  }
  SECTION("several kinds of statement") {
    policy["predicateTypes"] = {"https://slsa.dev/provenance/v1", "https://example.com/other"};
    CHECK(refusal(policy) == "the policy takes 2 types of predicates, and clusters ask for one");
  }
  SECTION("more builders than there are, as far as clusters can tell them apart") {
    policy["identities"].push_back(
        {{"issuer", kIssuer}, {"subject", kSubject}, {"sourceRepositoryId", "456"}});
    CHECK(refusal(policy, {.images = {"ghcr.io/acme/app"}, .quorum = 2}) ==
          "a quorum of 2 can't be had of 1, which clusters can tell apart");
    CHECK(refusal(policy, {.images = {"ghcr.io/acme/app"}, .quorum = 0}) ==
          "a quorum of 0 can't be had of 1, which clusters can tell apart");
  }
  SECTION("no images") {
    CHECK(refusal(policy, {}) == "no images are named");
  }
}

TEST_CASE("images and names are what Kubernetes takes") {
  const json policy = one();
  for (const char* image : {"app",
                            "acme/app",
                            "ghcr.io",
                            "ghcr.io/acme/*/x",
                            "*",
                            "/*",
                            "ghcr.io/A",
                            "ghcr.io/acme/app@sha256",
                            "ghcr.io/acme/**",
                            "ghcr.io/acme/app:v1",
                            "ghcr.io/acme app"}) {
    CHECK(refusal(policy, {.images = {image}}) ==
          "'" + std::string(image) + "' is no repository with its registry, nor the start of some");
  }
  for (const char* image : {"ghcr.io/*", "localhost:5000/app", "ghcr.io/acme/app_1-x.y"}) {
    CHECK(refusal(policy, {.images = {image}}) == "accepted");
  }
  for (const char* name : {"", "-a", "a-", "A", "a.b", "a b"}) {
    CHECK(refusal(policy, {.name = name, .images = {"ghcr.io/acme/app"}}) ==
          "'" + std::string(name) + "' is no name for a manifest");
  }
  CHECK(refusal(policy, {.name = std::string(63, 'a'), .images = {"ghcr.io/*"}}) == "accepted");
  CHECK(refusal(policy, {.name = std::string(64, 'a'), .images = {"ghcr.io/*"}}) != "accepted");
}

TEST_CASE("what a cluster does not ask is said") {
  json policy = one();
  policy["builderIds"] = {"https://example.com/builder"};
  policy["source"] = "https://github.com/acme/app";
  policy["logs"] = 2;
  policy["times"] = 3;
  policy["certificateLogs"] = 4;
  CHECK(unasked(Cluster::kyverno, parse_policy(policy.dump())) ==
        std::vector<std::string>{"sourceRepositoryId '123' of " + std::string(kSubject),
                                 "the builder 'https://example.com/builder' that a statement names",
                                 "the source 'https://github.com/acme/app'",
                                 "2 independent logs instead of one",
                                 "that a certificate is in a certificate log",
                                 "3 proven times instead of one"});
  CHECK(unasked(Cluster::kyverno_images, parse_policy(policy.dump()))[4] ==
        "4 certificate logs instead of one");
  policy["certificateLogs"] = 0;
  CHECK(unasked(Cluster::kyverno, parse_policy(policy.dump()))[4] ==
        "3 proven times instead of one");
}

TEST_CASE(
    "a TUF repository of one's own is named to who takes it in the manifest, and for others") {
  const Admission admission{.images = {"ghcr.io/acme/app"},
                            .tuf = TufRepository{.mirror = "https://tuf.example", .root = "{}"}};
  const std::string images = print(Cluster::kyverno_images, three(), admission);
  const std::string named = R"(
        tuf:
          mirror: "https://tuf.example"
          root:
            data: "e30="
)";
  std::size_t count = 0;
  for (auto at = images.find(named); at != std::string::npos; at = images.find(named, at + 1)) {
    ++count;
  }
  CHECK(count == 3);
  CHECK(print(Cluster::kyverno, three(), admission)
            .find("# Kyverno's controllers have to be started with --enableTuf "
                  "--tufMirror=https://tuf.example --tufRootRaw=e30=\napiVersion") !=
        std::string::npos);
  CHECK(print(Cluster::policy_controller, one(), admission)
            .find("# Give each authority a trustRootRef: to a TrustRoot of https://tuf.example\n"
                  "apiVersion") != std::string::npos);
}

TEST_CASE("YAML has quotes around whatever could be something else") {
  const auto value = nlohmann::ordered_json::parse(
      R"({"plain":"a/b.c-d_e1","colon":"a: b","hash":"a #b","yes":"Yes","n":"n","number":"1","empty":"",
          "star":"*a","quote":"a\"b\\c\nd","true":true,"three":3,"none":[],"nothing":{},
          "list":["a","b:c",{"k":"v","l":[1,[2]]}],"block":"one\n\n two: \"x\"\n","blank":" a\n"})");
  CHECK(to_yaml(value) ==
        R"(plain: a/b.c-d_e1
colon: "a: b"
hash: "a #b"
"yes": "Yes"
"n": "n"
number: "1"
empty: ""
star: "*a"
quote: "a\"b\\c\nd"
"true": true
three: 3
none: []
nothing: {}
list:
  - a
  - "b:c"
  - k: v
    l:
      - 1
      -
        - 2
block: |
  one

   two: "x"
blank: " a\n"
)");
}
