#include <functional>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/fake_sigstore.hpp"
#include "trust/policy.hpp"
#include "trust/weigh.hpp"

namespace seed::trust {
namespace {

using sigstore::Check;
using test::FakeSigstore;

const std::string kSource = "https://github.com/acme/app";
const Digest kImage = Digest::of("image");
const Digest kClosure = Digest::of("closure");
const std::string kLock = "{\"lock\":1}";

BuildFacts seed_facts() {
  return {.build_type = std::string(kSeedBuildType),
          .subjects = {{"ghcr.io/acme/app-seed", kImage}, {"closure", kClosure}},
          .external = {{"source", kSource}, {"key", "k-1"}, {"system", "x86_64-linux"}},
          .materials = {{.name = "source",
                         .uri = "git+" + kSource,
                         .digest = {{"gitCommit", test::acme().source_digest}}},
                        {.name = "flake.lock",
                         .uri = "",
                         .digest = {{"sha256", Digest::of(kLock).hex()}}}},
          .builder = {.id = test::acme().build_config_uri.empty() ? test::acme().subject
                                                                  : test::acme().build_config_uri}};
}

Expected expected() {
  return {.lock = Digest::of(kLock), .key = "k-1", .closure = kClosure, .system = "x86_64-linux"};
}

Policy policy() {
  Policy policy;
  policy.identities = {*identity_of_source(kSource, "")};
  policy.build_types = {std::string(kSeedBuildType)};
  return policy;
}

/// A seed that is signed as it should be, and one thing that is not.
struct Scene {
  FakeSigstore world;
  test::Order order{.signer = test::acme()};
  BuildFacts facts = seed_facts();
  Policy policy = trust::policy();
  Expected expected = trust::expected();
  Digest artifact = kImage;

  std::string bundle() {
    if (!order.statement) {
      order.statement = provenance_statement(facts);
    }
    return sigstore::to_json(world.bundle(order));
  }

  Judgement judge() { return assess(bundle(), world.trusted_root(), artifact, policy, expected); }
};

const Refusal& refusal(const Judgement& judgement) {
  INFO((std::holds_alternative<Accepted>(judgement) ? "accepted" : "refused"));
  REQUIRE(std::holds_alternative<Refusal>(judgement));
  return std::get<Refusal>(judgement);
}

}  // namespace

TEST_CASE("a seed that was signed by its repository's CI is accepted") {
  Scene scene;
  const Judgement judgement = scene.judge();
  if (const auto* refused = std::get_if<Refusal>(&judgement)) {
    FAIL(to_string(refused->term) << ": " << refused->why);
  }
  const auto& accepted = std::get<Accepted>(judgement);
  CHECK(accepted.identity() == scene.policy.identities.front());
  std::string terms;
  for (const Finding& finding : accepted.findings()) {
    terms += std::string(to_string(finding.term)) + " ";
  }
  CHECK(terms ==
        "subject identity thresholds predicate build type builder source commit flake.lock closure "
        "system ");
}

// For every term there is a bundle that is wrong only there, and is refused for that.
TEST_CASE("each term of a judgement is refused by its own name") {
  struct Case {
    Term term;
    std::optional<Check> check;
    std::string why;
    std::function<void(Scene&)> spoil;
  };

  const std::string other = "https://github.com/acme/app-evil";
  const std::vector<Case> cases{
      {Term::signature,
       Check::subject,
       "",
       [](Scene& scene) { scene.artifact = Digest::of("tampered image"); }},
      {Term::signature,
       Check::identity,
       "source repository",
       [&](Scene& scene) { scene.order.signer.source_repository_uri = other; }},
      {Term::signature,
       Check::identity,
       "issuer",
       [](Scene& scene) { scene.order.signer.issuer = "https://gitlab.com"; }},
      {Term::signature,
       Check::identity,
       "ref",
       [](Scene& scene) {
         scene.policy.identities.front().source_ref = "refs/heads/main";
         scene.order.signer.source_ref = "refs/heads/feature";
       }},
      {Term::signature,
       Check::predicate,
       "",
       [](Scene& scene) {
         auto statement = nlohmann::json::parse(provenance_statement(scene.facts));
         statement["predicateType"] = "https://spdx.dev/Document";
         scene.order.statement = statement.dump();
       }},
      {Term::predicate,
       std::nullopt,
       "it says 'https://spdx.dev/Document'",
       [](Scene& scene) {
         scene.policy.predicate_types = {"a", "b"};
         auto statement = nlohmann::json::parse(provenance_statement(scene.facts));
         statement["predicateType"] = "https://spdx.dev/Document";
         scene.order.statement = statement.dump();
       }},
      {Term::build_type,
       std::nullopt,
       "it is 'https://example.org/build'",
       [](Scene& scene) { scene.facts.build_type = "https://example.org/build"; }},
      {Term::builder,
       std::nullopt,
       "it names 'https://github.com/acme/other/.github/workflows/x.yml@refs/heads/main', not",
       [](Scene& scene) {
         scene.facts.builder.id =
             "https://github.com/acme/other/.github/workflows/x.yml@refs/heads/main";
       }},
      {Term::builder,
       std::nullopt,
       "not 'https://builder.example.org'",
       [](Scene& scene) { scene.policy.builder_ids = {"https://builder.example.org"}; }},
      {Term::source,
       std::nullopt,
       "it names 'https://github.com/acme/app-evil', not 'https://github.com/acme/app'",
       [&](Scene& scene) { scene.facts.external["source"] = other; }},
      {Term::source,
       std::nullopt,
       "it names 'https://github.com/acme/app', not 'https://github.com/acme/elsewhere'",
       [](Scene& scene) { scene.policy.source = "https://github.com/acme/elsewhere"; }},
      {Term::commit,
       std::nullopt,
       "it names 0123, and its certificate " + test::acme().source_digest,
       [](Scene& scene) { scene.facts.materials.front().digest["gitCommit"] = "0123"; }},
      {Term::lock,
       std::nullopt,
       "and here it is sha256:",
       [](Scene& scene) {
         scene.expected.lock = Digest::of("another lock");
         scene.expected.key = "k-2";
       }},
      {Term::lock,
       std::nullopt,
       "it names no flake.lock",
       [](Scene& scene) {
         scene.facts.materials.pop_back();
         scene.expected.key = "k-2";
       }},
      {Term::closure,
       std::nullopt,
       "it is not about the closure sha256:",
       [](Scene& scene) { scene.expected.closure = Digest::of("another closure"); }},
      {Term::closure,
       std::nullopt,
       "it is not about the closure sha256:",
       [](Scene& scene) { scene.facts.subjects.back().name = "something"; }},
      {Term::system,
       std::nullopt,
       "it names 'x86_64-linux', not 'aarch64-linux'",
       [](Scene& scene) { scene.expected.system = "aarch64-linux"; }},
      {Term::signature, Check::log_count, "", [](Scene& scene) { scene.policy.logs = 2; }},
      {Term::signature, Check::time, "", [](Scene& scene) { scene.policy.times = 9; }},
  };
  for (const Case& bad : cases) {
    Scene scene;
    bad.spoil(scene);
    const Judgement judgement = scene.judge();
    const Refusal& refused = refusal(judgement);
    INFO(to_string(bad.term) << ": " << bad.why << " / " << to_string(refused.term) << ": "
                             << refused.why);
    CHECK(refused.term == bad.term);
    CHECK(refused.check == bad.check);
    CHECK(refused.why.find(bad.why) != std::string::npos);
  }
}

TEST_CASE("an alias for the same inputs is of the lock as well") {
  Scene scene;
  scene.expected.lock = Digest::of("the same lock with another seed-self");
  CHECK(std::holds_alternative<Accepted>(scene.judge()));
}

TEST_CASE("a judgement looks again at what the verification was not asked") {
  Scene scene;
  const std::string bundle = scene.bundle();
  sigstore::Identity anyone = test::acme_identity();
  const sigstore::Expectation lax{.artifact = std::nullopt,
                                  .identities = {anyone},
                                  .key = std::nullopt,
                                  .predicate_type = std::nullopt};
  const auto verify = [&] {
    sigstore::Verdict verdict = sigstore::verify(bundle, scene.world.trusted_root(), lax);
    REQUIRE(std::holds_alternative<sigstore::Verified>(verdict));
    return std::get<sigstore::Verified>(std::move(verdict));
  };
  CHECK(std::holds_alternative<Accepted>(judge(verify(), kImage, scene.policy, scene.expected)));
  CHECK(refusal(judge(verify(), Digest::of("other"), scene.policy, scene.expected)).term ==
        Term::subject);
  Policy stranger = scene.policy;
  stranger.identities.front().source_repository_uri = "https://github.com/acme/other";
  CHECK(refusal(judge(verify(), kImage, stranger, scene.expected)).term == Term::identity);
  Policy more = scene.policy;
  more.logs = 2;
  CHECK(refusal(judge(verify(), kImage, more, scene.expected)).term == Term::thresholds);
  more.logs = 1;
  more.times = 9;
  CHECK(refusal(judge(verify(), kImage, more, scene.expected)).term == Term::thresholds);
  Policy keys;
  keys.keys = {scene.order.key.public_key()};
  CHECK(refusal(judge(verify(), kImage, keys, scene.expected)).term == Term::identity);
}

TEST_CASE("a seed signed by a key is accepted by who believes that key") {
  Scene scene;
  scene.order.managed_key = true;
  scene.policy.identities.clear();
  CHECK(refusal(scene.judge()).term == Term::identity);
  scene.policy.keys = {test::TestKey{}.public_key()};
  CHECK(refusal(scene.judge()).term == Term::signature);
  scene.policy.keys.push_back(scene.order.key.public_key());
  CHECK(std::holds_alternative<Accepted>(scene.judge()));
  scene.policy.keys.pop_back();
  scene.policy.identities = policy().identities;
  CHECK(refusal(scene.judge()).term == Term::signature);
}

TEST_CASE("one good bundle is enough, whatever else is there") {
  Scene scene;
  Scene stranger;
  stranger.order.signer.source_repository_uri = "https://github.com/acme/other";
  Discovery discovery;
  discovery.looked.push_back({"registry.test/a", "referrers API", 3, ""});
  add_candidate(discovery, "garbage", "1");
  add_candidate(discovery, stranger.bundle(), "2");
  const auto weigh_it = [&] {
    return weigh(discovery, scene.world.trusted_root(), kImage, scene.policy, scene.expected);
  };
  CHECK(weigh_it().standing == Standing::refused);
  CHECK(weigh_it().proof() == nullptr);
  add_candidate(discovery, scene.bundle(), "3");
  const Weighing weighing = weigh_it();
  CHECK(weighing.standing == Standing::proven);
  REQUIRE(weighing.proof() != nullptr);
  CHECK(describe(*weighing.proof())
            .starts_with(test::acme().subject + " (" + test::acme().issuer + ")"));
  const std::string refusals = refusals_of(weighing, discovery);
  CHECK(refusals.find("signature, format") != std::string::npos);
  const auto json = nlohmann::json::parse(to_json(weighing, discovery, kImage));
  CHECK(json["standing"] == "proven");
  CHECK(json["bundles"].size() == 3);
  CHECK(json["bundles"][2]["verdict"] == "accepted");
  CHECK(json["bundles"][0]["verdict"] == "refused");
  const std::string text = explain(weighing);
  CHECK(text.find("  FAIL  signature, format") != std::string::npos);
  CHECK(text.find("  ok    flake.lock") != std::string::npos);
  CHECK(text.find("  accepted\n") != std::string::npos);
}

TEST_CASE("what is about something else neither proves nor refuses") {
  Scene scene;
  const auto standing = [&](const std::string& bundle) {
    Discovery discovery;
    add_candidate(discovery, bundle, "1");
    return weigh(discovery, scene.world.trusted_root(), kImage, scene.policy, scene.expected)
        .standing;
  };
  {
    Scene build;
    build.facts.subjects = {{"result", Digest::of("result")}};
    CHECK(standing(build.bundle()) == Standing::unattested);
  }
  {
    Scene build;
    build.facts.build_type = std::string(kResultBuildType);
    CHECK(standing(build.bundle()) == Standing::unattested);
  }
  {
    Scene sbom;
    sbom.order.statement = test::statement_about("image", "https://spdx.dev/Document");
    CHECK(standing(sbom.bundle()) == Standing::unattested);
  }
  {
    Scene signature;
    signature.order.artifact = "image";
    signature.order.entries = {test::EntryForm::hashedrekord};
    CHECK(standing(sigstore::to_json(signature.world.bundle(signature.order))) ==
          Standing::unattested);
  }
}

TEST_CASE("nothing, nothing known, and something that claims are told apart") {
  Scene scene;
  Discovery discovery;
  const auto standing = [&] {
    return weigh(discovery, scene.world.trusted_root(), kImage, scene.policy, scene.expected)
        .standing;
  };
  CHECK(standing() == Standing::unattested);
  discovery.looked.push_back({"registry.test/a", "referrers API", 0, "it answers 500"});
  CHECK(standing() == Standing::unknown);
  discovery.ignored.push_back({"x", "it is listed as 'y'"});
  CHECK(standing() == Standing::unknown);
  discovery.ignored.push_back({"x", "its artifact type is 'y'", true});
  CHECK(standing() == Standing::refused);
}

}  // namespace seed::trust
