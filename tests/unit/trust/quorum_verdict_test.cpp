#include "trust/quorum_verdict.hpp"

#include <map>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/key_builder.hpp"

namespace seed::trust {
namespace {

using test::built;
using test::candidate;
using test::KeyBuilder;

const Digest kImage = Digest::of("image");
const std::string kCommit(40, 'c');

/// Three builders with keys, of whom two have to agree.
struct Fixture {
  QuorumPolicy make() {
    nlohmann::json cfg{{"trust", "credulous"}, {"rekor", {{"quorum", 2}}}};
    for (const char* name : {"ada", "bob", "cyd"}) {
      cfg["builders"][name] = {{"key", keys[name].pem()},
                               {"master", std::string_view(name) == "ada"}};
    }
    return QuorumPolicy::parse(cfg.dump());
  }

  void found(const std::string& name, const Digest& image = kImage) {
    discovery.candidates.push_back(candidate(keys.at(name).bundle(built(image, kCommit))));
  }

  QuorumVerdict weigh(const Expected& expected = {}) const {
    return trust::weigh(discovery, {}, kImage, policy, expected);
  }

  std::map<std::string, KeyBuilder> keys;
  QuorumPolicy policy = make();
  Discovery discovery;
};

}  // namespace

TEST_CASE("two builders prove an image where a quorum of two is asked for, and one does not") {
  Fixture t;
  t.found("ada");
  const QuorumVerdict one = t.weigh();
  CHECK(one.standing == Standing::refused);
  CHECK(describe(tally_of(one.decision), t.policy) == "1 of 3 builders agree, 2 have to: ada");
  CHECK(refusals_of(tally_of(one.decision)) ==
        "\n  bob: there is no attestation of it\n  cyd: there is no attestation of it");
  t.found("ada");  // another bundle of the same builder
  CHECK(t.weigh().standing == Standing::refused);
  t.found("bob");
  const QuorumVerdict two = t.weigh();
  CHECK(two.standing == Standing::proven);
  CHECK(describe(tally_of(two.decision), t.policy) == "2 of 3 builders agree, 2 have to: ada, bob");
}

TEST_CASE("with one attestation less an image that was proven is refused") {
  Fixture t;
  t.found("ada");
  t.found("bob");
  REQUIRE(t.weigh().standing == Standing::proven);
  t.discovery.candidates.pop_back();
  CHECK(t.weigh().standing == Standing::refused);
}

TEST_CASE("an attestation counts for what whoever asks knows of the image himself") {
  Fixture t;
  t.found("ada");
  t.found("bob");
  CHECK(t.weigh({.closure = Digest::of("closure"), .system = "x86_64-linux"}).standing ==
        Standing::proven);
  const QuorumVerdict verdict = t.weigh({.closure = Digest::of("another closure")});
  CHECK(verdict.standing == Standing::refused);
  CHECK(tally_of(verdict.decision).rejected.size() == 2);
}

TEST_CASE("too few are unknown while a place is silent, and nothing at all is no refusal of it") {
  Fixture t;
  CHECK(t.weigh().standing == Standing::unattested);
  t.discovery.looked.push_back({.where = "registry.test/app", .how = "API", .failure = "503"});
  CHECK(t.weigh().standing == Standing::unknown);
  t.found("ada");
  CHECK(t.weigh().standing == Standing::unknown);
  t.found("bob");
  CHECK(t.weigh().standing == Standing::proven);
}

TEST_CASE("what claims to be a bundle and could not be read is a refusal") {
  Fixture t;
  t.discovery.ignored.push_back({.what = "a referrer", .why = "it is too long", .claims = true});
  CHECK(t.weigh().standing == Standing::refused);
}

TEST_CASE("each attestation is explained, with whom it counts for or why it does not") {
  Fixture t;
  t.found("ada");
  t.found("bob", Digest::of("another image"));
  t.discovery.candidates.push_back(candidate("garbage", "a registry"));
  const std::string text = explain(t.weigh());
  CHECK(text.find("  counts for ada\n") != std::string::npos);
  CHECK(text.find("  ok    signature") != std::string::npos);
  CHECK(text.find("bundle " + Digest::of("garbage").to_string() +
                  " from a registry\n  does not count: ") != std::string::npos);
  CHECK(text.find("counts for bob") == std::string::npos);
}

TEST_CASE("a policy file with builders asks for a quorum, another for one of those it names") {
  Fixture t;
  const std::string quorum =
      nlohmann::json{{"builders", {{"ada", {{"key", t.keys["ada"].pem()}, {"master", true}}}}}}
          .dump();
  CHECK(std::holds_alternative<QuorumPolicy>(parse_any_policy(quorum)));
  const std::string word =
      nlohmann::json{{"version", 1}, {"logs", 0}, {"times", 0}, {"keys", {t.keys["ada"].pem()}}}
          .dump();
  CHECK(std::holds_alternative<Policy>(parse_any_policy(word)));
  CHECK_THROWS_AS(parse_any_policy(R"({"version": 1, "builders": {}, "keys": []})"), FormatError);
  CHECK_THROWS_AS(parse_any_policy("[]"), FormatError);
  CHECK_THROWS_AS(parse_any_policy("{}"), FormatError);
}

}  // namespace seed::trust
