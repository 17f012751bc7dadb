#include "trust/promotion.hpp"

#include <algorithm>
#include <array>
#include <future>
#include <map>
#include <random>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "oci/registry.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/fake_registry.hpp"
#include "support/key_builder.hpp"
#include "trust/attachment.hpp"

namespace seed::trust {
namespace {

using test::built;
using test::FakeRegistry;
using test::KeyBuilder;

const std::string kCommit(40, 'c');
const std::array<std::string, 5> kNames{"ada", "bob", "cyd", "dan", "eve"};

/// Five builders, one registry with the place they push to and the one that users read.
struct Fixture {
  explicit Fixture(unsigned quorum, FakeRegistry::Options options = {})
      : fake(options, clock), policy(make(quorum)), from(open("acme/build")), to(open("acme/app")) {
    image = push_image("image");
  }

  QuorumPolicy make(unsigned quorum) {
    nlohmann::json cfg{{"trust", "credulous"}, {"rekor", {{"quorum", quorum}, {"deadline", 600}}}};
    for (const std::string& name : kNames) {
      cfg["builders"][name] = {{"key", keys[name].pem()}, {"master", name == "ada"}};
    }
    return QuorumPolicy::parse(cfg.dump());
  }

  std::unique_ptr<oci::Repository> open(const std::string& name) {
    return oci::open_registry(
        oci::Reference::parse("registry.test/" + name), fake, credentials, {.clock = &clock});
  }

  oci::Descriptor push_image(const std::string& content) {
    const auto blob = oci::describe("application/octet-stream", content);
    from->put_blob(blob, std::string_view(content));
    return from->put_manifest(oci::kManifestType,
                              oci::to_json(oci::Manifest{.config = blob, .layers = {blob}}),
                              std::nullopt);
  }

  void attest(const std::string& name, oci::Repository& where) {
    attach_bundle(
        where, image.digest, keys.at(name).bundle(built(image.digest, kCommit)), clock.now());
  }

  std::vector<Decision> wait(Evidence& evidence) {
    const std::vector<Question> questions{{.artifact = image.digest}};
    const std::vector<Place> places{{from.get(), image.digest}};
    return wait_for_quorum(
        evidence, policy, questions, places, clock, {.deadline = policy.deadline()});
  }

  Promotion act(oci::Repository& source, oci::Repository& destination) {
    Evidence evidence(policy, root);
    evidence.look(source, image.digest);
    const Decision decision = evidence.decide({.artifact = image.digest});
    const auto* approval = std::get_if<Approval>(&decision);
    if (approval == nullptr) {
      throw Error("no quorum");
    }
    const std::vector<Approval> approvals{*approval};
    const os::TempDir scratch;
    return promote(approvals,
                   evidence,
                   policy,
                   root,
                   {.from = source,
                    .to = destination,
                    .artifact = image.digest,
                    .tags = {"v1", "latest"},
                    .copy = {.scratch = scratch.path()},
                    .now = clock.now()});
  }

  /// What anyone who reads the destination alone would decide.
  bool holds_at_destination() {
    Evidence evidence(policy, root);
    evidence.look(*to, image.digest);
    return std::holds_alternative<Approval>(evidence.decide({.artifact = image.digest}));
  }

  std::optional<Digest> tag(const std::string& name) {
    const auto head = to->head_manifest(name);
    return head ? std::optional(head->digest) : std::nullopt;
  }

  test::FakeClock clock;
  test::FakeCredentials credentials;
  FakeRegistry fake;
  std::map<std::string, KeyBuilder> keys;
  QuorumPolicy policy;
  sigstore::TrustedRoot root;
  std::unique_ptr<oci::Repository> from;
  std::unique_ptr<oci::Repository> to;
  oci::Descriptor image{.digest = Digest::of("")};
};

std::size_t requests_of(const FakeRegistry& fake) {
  return fake.log().size();
}

}  // namespace

TEST_CASE("four of five agree while the fifth is down, and nobody waits for it") {
  Fixture t(4);
  for (const char* name : {"ada", "bob", "cyd", "eve"}) {
    t.attest(name, *t.from);
  }
  Evidence evidence(t.policy, t.root);
  const Time before = t.clock.now();
  const auto decisions = t.wait(evidence);
  CHECK(std::holds_alternative<Approval>(decisions.front()));
  CHECK(t.clock.now() == before);
}

TEST_CASE("five of five end at the deadline, and name the one that is missing") {
  Fixture t(5);
  for (const char* name : {"ada", "bob", "cyd", "eve"}) {
    t.attest(name, *t.from);
  }
  Evidence evidence(t.policy, t.root);
  const Time before = t.clock.now();
  const auto decisions = t.wait(evidence);
  REQUIRE(std::holds_alternative<QuorumRefusal>(decisions.front()));
  CHECK(std::get<QuorumRefusal>(decisions.front()).reasons.at(1) ==
        "dan: there is no attestation of it");
  CHECK(t.clock.now() - before >= t.policy.deadline());
  CHECK(t.clock.now() - before < t.policy.deadline() + std::chrono::seconds(2));
}

TEST_CASE("a pause costs one request, whether the registry lists referrers or not") {
  const bool api = GENERATE(true, false);
  Fixture t(5, {.referrers_api = api});
  t.attest("ada", *t.from);
  Evidence evidence(t.policy, t.root);
  std::vector<std::size_t> counts;
  const std::vector<Question> questions{{.artifact = t.image.digest}};
  const std::vector<Place> places{{t.from.get(), t.image.digest}};
  Waiting waiting{.deadline = std::chrono::seconds(300)};
  waiting.before_pause = [&](std::chrono::milliseconds) { counts.push_back(requests_of(t.fake)); };
  wait_for_quorum(evidence, t.policy, questions, places, t.clock, waiting);
  REQUIRE(counts.size() > 10);
  for (std::size_t i = 1; i < counts.size(); ++i) {
    CHECK(counts[i] - counts[i - 1] == 1);
  }
}

TEST_CASE("who comes late is seen, and what was seen before is not verified again") {
  Fixture t(2);
  t.attest("ada", *t.from);
  Evidence evidence(t.policy, t.root);
  const std::vector<Question> questions{{.artifact = t.image.digest}};
  const std::vector<Place> places{{t.from.get(), t.image.digest}};
  Waiting waiting{.deadline = std::chrono::seconds(300)};
  int pauses = 0;
  waiting.before_pause = [&](std::chrono::milliseconds) {
    if (++pauses == 3) {
      t.attest("bob", *t.from);
    }
  };
  const auto decisions = wait_for_quorum(evidence, t.policy, questions, places, t.clock, waiting);
  CHECK(std::holds_alternative<Approval>(decisions.front()));
  CHECK(pauses == 3);
  CHECK(evidence.attestations().size() == 2);
}

TEST_CASE("a registry that is away for a while ends nothing, and is named if it stays away") {
  Fixture t(2);
  t.attest("ada", *t.from);
  t.fake.inject(test::Fault::unavailable, http::Method::get, "referrers", 1000);
  Evidence evidence(t.policy, t.root);
  const auto decisions = t.wait(evidence);
  CHECK(std::holds_alternative<QuorumRefusal>(decisions.front()));
  CHECK(evidence.failures().size() == 1);
}

TEST_CASE("a promotion takes the evidence along and writes the tags last") {
  const bool api = GENERATE(true, false);
  Fixture t(2, {.referrers_api = api});
  t.attest("ada", *t.from);
  t.attest("bob", *t.from);
  const Promotion promotion = t.act(*t.from, *t.to);
  CHECK(promotion.copied.referrers == 2);
  CHECK(t.tag("v1") == t.image.digest);
  CHECK(t.tag("latest") == t.image.digest);
  CHECK(t.holds_at_destination());
  const auto log = t.fake.log();
  const auto first_tag = std::ranges::find(log, "PUT /v2/acme/app/manifests/v1");
  REQUIRE(first_tag != log.end());
  CHECK(std::none_of(first_tag, log.end(), [](const std::string& line) {
    return line.starts_with("PUT ") && !line.ends_with("/v1") && !line.ends_with("/latest");
  }));
}

TEST_CASE("with one attestation less the destination is refused, and no tag is written") {
  Fixture t(2);
  t.attest("ada", *t.from);
  t.attest("bob", *t.from);
  // Somebody else's clean-up takes a bundle out between the copy and the second look.
  t.fake.after = [&](const std::string& line) {
    if (line.starts_with("PUT /v2/acme/app/manifests/sha256:")) {
      auto& manifests = t.fake.repos["acme/app"].manifests;
      for (auto it = manifests.begin(); it != manifests.end(); ++it) {
        if (it->first != t.image.digest.to_string()) {
          manifests.erase(it);
          break;
        }
      }
    }
  };
  CHECK_THROWS_AS(t.act(*t.from, *t.to), Error);
  t.fake.after = nullptr;
  CHECK_FALSE(t.tag("v1"));
  CHECK_FALSE(t.tag("latest"));
  t.act(*t.from, *t.to);
  CHECK(t.tag("v1") == t.image.digest);
}

TEST_CASE(
    "a promoter that dies at any moment leaves no tag without evidence, and a rerun ends right") {
  std::mt19937 random(30);
  for (int round = 0; round < 30; ++round) {
    Fixture t(2, {.referrers_api = round % 2 == 0});
    t.attest("ada", *t.from);
    t.attest("bob", *t.from);
    const std::size_t die_at =
        requests_of(t.fake) + std::uniform_int_distribution<std::size_t>(1, 60)(random);
    t.fake.after = [&](const std::string&) {
      if (requests_of(t.fake) >= die_at) {
        throw Interrupted();
      }
    };
    bool died = false;
    try {
      t.act(*t.from, *t.to);
    } catch (const Interrupted&) {
      died = true;
    }
    t.fake.after = nullptr;
    INFO("round " << round << (died ? " died" : " lived"));
    if (t.tag("v1") || t.tag("latest")) {
      CHECK(t.holds_at_destination());
    }
    t.act(*t.from, *t.to);
    CHECK(t.tag("v1") == t.image.digest);
    CHECK(t.tag("latest") == t.image.digest);
    CHECK(t.holds_at_destination());
  }
}

TEST_CASE("evidence that another promoter's old list hides is put there again") {
  Fixture t(2, {.referrers_api = false});
  t.attest("ada", *t.from);
  t.attest("bob", *t.from);
  auto& there = t.fake.repos["acme/app"];
  const std::string list = "sha256-" + t.image.digest.hex();
  int hidden = 0;
  t.fake.after = [&](const std::string& line) {
    if (line == "HEAD /v2/acme/app/manifests/" + t.image.digest.to_string() && hidden < 3) {
      hidden += static_cast<int>(there.tags.erase(list));
    }
  };
  t.act(*t.from, *t.to);
  CHECK(hidden == 3);
  CHECK(t.tag("v1") == t.image.digest);
  CHECK(t.holds_at_destination());
}

TEST_CASE("two promoters at once come to one result") {
  for (int round = 0; round < 10; ++round) {
    Fixture t(2, {.referrers_api = round % 2 == 0});
    t.attest("ada", *t.from);
    t.attest("bob", *t.from);
    /// What it failed with; empty where it did not.
    const auto one = [&]() -> std::string {
      try {
        const auto from = t.open("acme/build");
        const auto to = t.open("acme/app");
        t.act(*from, *to);
      } catch (const std::exception& error) {
        return error.what();
      }
      return {};
    };
    auto other = std::async(std::launch::async, one);
    CHECK(one() == "");
    CHECK(other.get() == "");
    CHECK(t.tag("v1") == t.image.digest);
    CHECK(t.tag("latest") == t.image.digest);
    CHECK(t.holds_at_destination());
  }
}

TEST_CASE("a tag that another writes in the same moment is not taken for ours") {
  Fixture t(2);
  t.attest("ada", *t.from);
  t.attest("bob", *t.from);
  const oci::Descriptor other = t.push_image("other image");
  t.fake.after = [&](const std::string& line) {
    if (line == "PUT /v2/acme/app/manifests/v1") {
      auto& repo = t.fake.repos["acme/app"];
      repo.manifests[other.digest.to_string()] =
          t.fake.repos["acme/build"].manifests[other.digest.to_string()];
      repo.tags["v1"] = other.digest.to_string();
    }
  };
  CHECK_THROWS_AS(t.act(*t.from, *t.to), Error);
  t.fake.after = nullptr;
  CHECK_FALSE(t.tag("latest"));
}

TEST_CASE("an approval of one artifact promotes no other") {
  Fixture t(2);
  t.attest("ada", *t.from);
  t.attest("bob", *t.from);
  Evidence evidence(t.policy, t.root);
  evidence.look(*t.from, t.image.digest);
  const Decision decision = evidence.decide({.artifact = t.image.digest});
  const std::vector<Approval> approvals{std::get<Approval>(decision)};
  const oci::Descriptor other = t.push_image("other image");
  const os::TempDir scratch;
  CHECK_THROWS_WITH(promote(approvals,
                            evidence,
                            t.policy,
                            t.root,
                            {.from = *t.from,
                             .to = *t.to,
                             .artifact = other.digest,
                             .tags = {"v1"},
                             .copy = {.scratch = scratch.path()},
                             .now = t.clock.now()}),
                    "nobody approved " + other.digest.to_string());
  CHECK_FALSE(t.tag("v1"));
}

TEST_CASE(
    "a flood of garbage beside the evidence is looked through to its bound, and harms nothing") {
  Fixture t(2);
  t.attest("ada", *t.from);
  t.attest("bob", *t.from);
  for (int i = 0; i < 50; ++i) {
    const std::string content = "{\"garbage\":" + std::to_string(i) + "}";
    const auto blob = oci::describe(sigstore::kBundleMediaType, content);
    t.from->put_blob(blob, std::string_view(content));
    t.from->put_referrer({.config = blob,
                          .layers = {blob},
                          .artifact_type = std::string(sigstore::kBundleMediaType),
                          .subject = t.image});
  }
  Evidence evidence(t.policy, t.root);
  const auto decisions = t.wait(evidence);
  CHECK(std::holds_alternative<Approval>(decisions.front()));
  CHECK(tally_of(decisions.front()).rejected.size() == 50);
}

}  // namespace seed::trust
