#include "trust/decide.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <random>
#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/key_builder.hpp"

namespace seed::trust {
namespace {

using test::built;
using test::candidate;
using test::KeyBuilder;

const Digest kArtifact = Digest::of("the artifact");
const Digest kOther = Digest::of("another artifact");
const std::string kCommit(40, 'c');
const std::string kNextCommit(40, 'd');

const std::array<std::string, 5> kNames{"ada", "bob", "cyd", "dan", "eve"};

/// Five builders with keys, of whom `quorum` have to agree.
struct Fixture {
  explicit Fixture(unsigned quorum = 3) : policy(make(quorum)) {}

  QuorumPolicy make(unsigned quorum) {
    nlohmann::json cfg{{"trust", "credulous"}, {"rekor", {{"quorum", quorum}}}};
    for (const std::string& name : kNames) {
      cfg["builders"][name] = {{"key", keys[name].pem()}, {"master", name == "ada"}};
    }
    return QuorumPolicy::parse(cfg.dump());
  }

  Attestation says(const std::string& name,
                   const Digest& artifact = kArtifact,
                   const std::string& commit = kCommit,
                   const std::string& closure = "closure") {
    return examine(
        candidate(keys.at(name).bundle(built(artifact, commit, closure))), policy, {}, artifact);
  }

  Decision decide(const std::vector<Attestation>& attestations) const {
    return trust::decide(policy, {.artifact = kArtifact}, attestations);
  }

  std::map<std::string, KeyBuilder> keys;
  QuorumPolicy policy;
};

bool approved(const Decision& decision) {
  return std::holds_alternative<Approval>(decision);
}

std::vector<std::string> names(const std::vector<CountedBuilder>& counted) {
  std::vector<std::string> list;
  for (const CountedBuilder& one : counted) {
    list.push_back(one.name);
  }
  return list;
}

std::string why(const Decision& decision, const std::string& name) {
  for (const MissingBuilder& one : tally_of(decision).missing) {
    if (one.name == name) {
      return one.why;
    }
  }
  return "counted";
}

}  // namespace

TEST_CASE("three of five builders that say the same are a quorum of three, two are not") {
  Fixture t;
  const Decision two = t.decide({t.says("ada"), t.says("eve")});
  CHECK_FALSE(approved(two));
  const auto& refusal = std::get<QuorumRefusal>(two);
  CHECK(refusal.reasons ==
        std::vector<std::string>{
            fmt::format("2 of 5 builders attest {}, and 3 have to", kArtifact.to_string()),
            "bob: there is no attestation of it",
            "cyd: there is no attestation of it",
            "dan: there is no attestation of it"});
  const Decision three = t.decide({t.says("eve"), t.says("cyd"), t.says("ada")});
  REQUIRE(approved(three));
  CHECK(std::get<Approval>(three).artifact() == kArtifact);
  CHECK(names(tally_of(three).counted) == std::vector<std::string>{"ada", "cyd", "eve"});
}

TEST_CASE("a builder that attests a thousand times counts once") {
  Fixture t;
  std::vector<Attestation> flood;
  for (int i = 0; i < 1000; ++i) {
    flood.push_back(t.says("ada"));
  }
  flood.push_back(t.says("bob"));
  const Decision decision = t.decide(flood);
  CHECK_FALSE(approved(decision));
  CHECK(names(tally_of(decision).counted) == std::vector<std::string>{"ada", "bob"});
}

TEST_CASE("what is broken, of a stranger, or about another artifact counts for nobody") {
  Fixture t;
  const std::string good = t.keys["cyd"].bundle(built(kArtifact, kCommit));
  std::string forged = good;
  forged.replace(forged.find("\"payload\":\"") + 40, 4, "AAAA");
  const std::vector<Attestation> bad{
      examine(candidate("garbage"), t.policy, {}, kArtifact),
      examine(candidate(forged), t.policy, {}, kArtifact),
      examine(candidate(KeyBuilder().bundle(built(kArtifact, kCommit))), t.policy, {}, kArtifact),
      examine(candidate(t.keys["cyd"].bundle(built(kOther, kCommit))), t.policy, {}, kArtifact)};
  for (const Attestation& one : bad) {
    CHECK(one.accepted() == nullptr);
    CHECK_FALSE(one.why().empty());
  }
  std::vector<Attestation> all = bad;
  all.push_back(t.says("ada"));
  all.push_back(t.says("bob"));
  const Decision decision = t.decide(all);
  CHECK_FALSE(approved(decision));
  CHECK(tally_of(decision).rejected.size() == bad.size());
  CHECK(bad[2].why().find("is none of the builders'") != std::string::npos);
}

TEST_CASE(
    "a builder that built other bytes from the same source is a conflict, with both digests") {
  Fixture t;
  const Decision decision = t.decide({t.says("ada"),
                                      t.says("bob"),
                                      t.says("cyd"),
                                      t.says("eve", kOther, kCommit, "other closure")});
  CHECK(approved(decision));
  const Tally& tally = tally_of(decision);
  REQUIRE(tally.conflicts.size() == 1);
  const Conflict& conflict = tally.conflicts.front();
  CHECK(conflict.builder == "eve");
  CHECK(conflict.revision.commit == kCommit);
  CHECK(conflict.artifact == kArtifact);
  CHECK(conflict.other == kOther);
  CHECK(conflict.closure == Digest::of("closure"));
  CHECK(conflict.other_closure == Digest::of("other closure"));
  CHECK_FALSE(conflict.same_closure());
  CHECK(why(decision, "eve") ==
        fmt::format("it built {} from commit {} for x86_64-linux", kOther.to_string(), kCommit));
}

TEST_CASE("a builder that says two things of one source counts for neither") {
  Fixture t;
  const auto words = [&](const std::string& closure, const std::string& commit) {
    return t.decide(
        {t.says("ada"), t.says("bob"), t.says("eve"), t.says("eve", kOther, commit, closure)});
  };
  CHECK_FALSE(approved(words("other closure", kCommit)));
  // The same paths in other layers are no contradiction, and another source is another matter.
  CHECK(approved(words("closure", kCommit)));
  CHECK(approved(words("other closure", kNextCommit)));
}

TEST_CASE("a builder that lies about the source takes away nobody's word but its own") {
  Fixture t;
  // ada, bob and cyd built the artifact of one commit, and another one of the next: eve says that
  // the artifact is of the next one.
  std::vector<Attestation> all{t.says("eve", kArtifact, kNextCommit)};
  for (const char* name : {"ada", "bob", "cyd"}) {
    all.push_back(t.says(name));
    all.push_back(t.says(name, kOther, kNextCommit, "other closure"));
  }
  const Decision decision = t.decide(all);
  CHECK(approved(decision));
  CHECK(tally_of(decision).counted.size() == 4);
  CHECK(tally_of(decision).conflicts.size() == 3);
}

TEST_CASE("what was signed too early, or at no proven time, is not fresh") {
  Fixture t;
  const std::vector<Attestation> all{t.says("ada"), t.says("bob"), t.says("cyd")};
  const Decision decision = decide(t.policy, {kArtifact, Time(std::chrono::seconds(1))}, all);
  CHECK_FALSE(approved(decision));
  CHECK(why(decision, "ada") == "its attestation is older than asked for, or of no proven time");
}

TEST_CASE("an attestation that was examined for another policy counts for nobody") {
  Fixture t;
  Fixture others;
  KeyBuilder stranger;
  nlohmann::json cfg{{"builders", {{"zoe", {{"key", stranger.pem()}}}}}};
  const QuorumPolicy foreign = QuorumPolicy::parse(cfg.dump());
  const Attestation zoe =
      examine(candidate(stranger.bundle(built(kArtifact, kCommit))), foreign, {}, kArtifact);
  REQUIRE(zoe.builder() == "zoe");
  const Decision decision = t.decide({zoe});
  CHECK(tally_of(decision).counted.empty());
  CHECK(tally_of(decision).rejected.front().why == "it was examined for another policy");
}

namespace {

/// One thing that may be attached to an artifact, and the truth about it.
struct Sample {
  Attestation attestation;
  std::string builder;  ///< empty: it must count for nobody
  bool here = false;    ///< about the artifact
  std::string commit;
  std::string closure;
};

/// The specification: ten lines that know nothing of how decide() is written.
bool specification(const std::vector<const Sample*>& samples, unsigned quorum) {
  unsigned votes = 0;
  for (const std::string& name : kNames) {
    std::set<std::string> here, elsewhere;  // commits
    for (const Sample* one : samples) {
      if (one->builder != name) {
        continue;
      }
      if (one->here) {
        here.insert(one->commit);
      }
      if (!one->here && one->closure != "closure") {
        elsewhere.insert(one->commit);
      }
    }
    const bool twice = std::any_of(here.begin(), here.end(), [&](const std::string& commit) {
      return elsewhere.count(commit) != 0;
    });
    votes += !here.empty() && !twice ? 1 : 0;
  }
  return votes >= quorum;
}

std::vector<Sample> samples(Fixture& t) {
  std::vector<Sample> all;
  for (const std::string& name : kNames) {
    for (const std::string& commit : {kCommit, kNextCommit}) {
      all.push_back({t.says(name, kArtifact, commit), name, true, commit, "closure"});
      all.push_back({t.says(name, kArtifact, commit), name, true, commit, "closure"});
      for (const char* closure : {"closure", "other closure"}) {
        all.push_back({t.says(name, kOther, commit, closure), name, false, commit, closure});
      }
    }
    std::string forged = t.keys.at(name).bundle(built(kArtifact, kCommit));
    forged.replace(forged.find("\"sig\":\"") + 20, 4, "AAAA");
    for (const std::string& broken : {forged,
                                      forged.substr(0, forged.size() / 2),
                                      t.keys.at(name).bundle("{}"),
                                      t.keys.at(name).bundle(built(kOther, kCommit)),
                                      KeyBuilder().bundle(built(kArtifact, kCommit))}) {
      all.push_back({examine(candidate(broken), t.policy, {}, kArtifact), "", true, "", ""});
    }
  }
  return all;
}

}  // namespace

TEST_CASE("over thousands of sets of attestations the decision is the specification's") {
  std::array<unsigned, 2> verdicts{};
  std::mt19937 random(6);
  for (unsigned quorum = 2; quorum <= 5; ++quorum) {
    Fixture t(quorum);
    const std::vector<Sample> pool = samples(t);
    for (int round = 0; round < 1500; ++round) {
      std::vector<const Sample*> chosen;
      const std::size_t count = std::uniform_int_distribution<std::size_t>(0, 24)(random);
      for (std::size_t i = 0; i < count; ++i) {
        chosen.push_back(
            &pool[std::uniform_int_distribution<std::size_t>(0, pool.size() - 1)(random)]);
      }
      std::vector<Attestation> given;
      for (const Sample* one : chosen) {
        given.push_back(one->attestation);
      }
      const Decision decision = t.decide(given);
      const bool wanted = specification(chosen, quorum);
      REQUIRE(approved(decision) == wanted);
      ++verdicts[wanted ? 1 : 0];
      std::shuffle(given.begin(), given.end(), random);
      REQUIRE(tally_of(t.decide(given)) == tally_of(decision));
    }
  }
  INFO("refused " << verdicts[0] << ", approved " << verdicts[1]);
  CHECK(verdicts[0] > 1000);
  CHECK(verdicts[1] > 300);
}

TEST_CASE("a hundred builders' bundles are verified in full and counted") {
  std::map<std::string, KeyBuilder> keys;
  nlohmann::json cfg{{"trust", "credulous"}};
  Discovery discovery;
  for (int i = 0; i < 100; ++i) {
    const std::string name = fmt::format("b{:03}", i);
    cfg["builders"][name] = {{"key", keys[name].pem()}, {"master", i == 0}};
    discovery.candidates.push_back(candidate(keys[name].bundle(built(kArtifact, kCommit))));
  }
  const QuorumPolicy policy = QuorumPolicy::parse(cfg.dump());
  const auto start = std::chrono::steady_clock::now();
  const auto attestations = examine(discovery, policy, {}, kArtifact);
  const Decision decision = decide(policy, {.artifact = kArtifact}, attestations);
  const auto took = std::chrono::steady_clock::now() - start;
  CHECK(approved(decision));
  CHECK(tally_of(decision).counted.size() == 100);
  WARN("figure: 100 bundles by key in "
       << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms");
}

}  // namespace seed::trust
