#include "app/gate.hpp"

#include <array>
#include <map>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "oci/registry.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/fake_registry.hpp"
#include "support/key_builder.hpp"
#include "trust/attachment.hpp"

namespace seed::app {
namespace {

using test::built;

const std::string kCommit(40, 'c');
constexpr const char* kNobody =
    R"({"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"})";

/// Keeps what people are told.
class Words final : public Progress {
 public:
  void step(std::string_view text) override { said += std::string(text) + "\n"; }

  void notice(std::string_view text) override { said += std::string(text) + "\n"; }

  void bytes(std::uint64_t, std::uint64_t) override {}

  void output(std::string_view) override {}

  std::string said;
};

/// A run before a seed in a registry, of three builders with keys, of whom two have to agree.
struct Run {
  Run() {
    os::atomic_write(temp.path() / "root.json", kNobody);
    const auto blob = oci::describe("application/octet-stream", "content");
    repository->put_blob(blob, std::string_view("content"));
    image = repository
                ->put_manifest(oci::kManifestType,
                               oci::to_json(oci::Manifest{.config = blob, .layers = {blob}}),
                               std::nullopt)
                .digest;
  }

  trust::QuorumPolicy policy() {
    nlohmann::json cfg{{"trust", "credulous"}, {"rekor", {{"quorum", 2}}}};
    for (const char* name : {"ada", "bob", "cyd"}) {
      cfg["builders"][name] = {{"key", keys[name].pem()},
                               {"master", std::string_view(name) == "ada"}};
    }
    return trust::QuorumPolicy::parse(cfg.dump());
  }

  void attest(const std::string& name) {
    trust::attach_bundle(
        *repository, image, keys.at(name).bundle(built(image, kCommit)), clock.now());
  }

  World world() {
    return {.environment = environment,
            .directory = temp.path(),
            .self = {},
            .clock = clock,
            .progress = words,
            .runner = runner,
            .transport = fake,
            .journal = journal};
  }

  Options options() const {
    static constexpr std::array kSpecs{kTrustedRootOption};
    return Options::parse("build", kSpecs, {"--trusted-root", "root.json"}, environment);
  }

  std::string pass(const trust::Expected& expected = {}) {
    return pass_gate(world(), options(), gate, *repository, image, expected);
  }

  /// What it says, and with which exit code; empty: it lets pass.
  std::pair<ExitCode, std::string> refusal(const trust::Expected& expected = {}) {
    try {
      pass(expected);
    } catch (const Error& error) {
      return {error.code(), error.message()};
    }
    return {ExitCode::done, ""};
  }

  os::TempDir temp;
  os::Environment environment;
  test::FakeClock clock;
  test::FakeCredentials credentials;
  test::FakeRegistry fake{{}, clock};
  Words words;
  os::SystemRunner runner;
  Journal journal;
  std::unique_ptr<oci::Repository> repository = oci::open_registry(
      oci::Reference::parse("registry.test/acme/app-seed"), fake, credentials, {.clock = &clock});
  std::map<std::string, test::KeyBuilder> keys;
  Gate gate{.mode = VerifyMode::automatic, .policy = policy(), .origin = "three builders"};
  Digest image = Digest::of("");
};

}  // namespace

TEST_CASE("a seed passes where a quorum of builders attests it, and the run says who") {
  Run run;
  run.attest("ada");
  run.attest("cyd");
  CHECK(run.pass() == "2 of 3 builders agree, 2 have to: ada, cyd");
  CHECK(run.words.said == "the seed is verified: 2 of 3 builders agree, 2 have to: ada, cyd\n");
}

TEST_CASE("one builder too few is refused, with who is missing") {
  Run run;
  run.attest("ada");
  const auto [code, why] = run.refusal();
  CHECK(code == ExitCode::refused);
  CHECK(why == "the seed is refused: no quorum of builders attests registry.test/acme/app-seed@" +
                   run.image.to_string() +
                   "; this run believes three builders\n"
                   "  1 of 3 builders agree, 2 have to: ada\n"
                   "  bob: there is no attestation of it\n"
                   "  cyd: there is no attestation of it");
}

TEST_CASE("what a run knows of the seed itself is asked of each builder") {
  Run run;
  run.attest("ada");
  run.attest("bob");
  CHECK(run.refusal({.closure = Digest::of("closure")}).first == ExitCode::done);
  CHECK(run.refusal({.closure = Digest::of("another")}).first == ExitCode::refused);
}

TEST_CASE("who asks for a quorum does not take a seed that nobody has signed") {
  Run run;
  const auto [code, why] = run.refusal();
  CHECK(code == ExitCode::refused);
  CHECK(why.find("nothing proves who made the seed") != std::string::npos);
  run.gate.mode = VerifyMode::off;
  CHECK(run.refusal().first == ExitCode::done);
}

TEST_CASE("without a quorum asked for, a seed that nobody has signed is used with a note") {
  Run run;
  trust::Policy policy;
  policy.keys = {sigstore::PublicKey::parse_pem(run.keys["ada"].pem())};
  run.gate.policy = policy;
  CHECK(run.refusal().first == ExitCode::done);
  CHECK(run.words.said.find("--verify require refuses such a seed") != std::string::npos);
  run.gate.mode = VerifyMode::require;
  CHECK(run.refusal().first == ExitCode::refused);
}

TEST_CASE("in a container, what a quorum is asked for and can't be checked ends the run") {
  Run run;  // the container has no list of its closure
  CHECK_THROWS_AS(pass_gate_inside(run.world(), run.options(), run.gate, "x86_64-linux"), Error);
  run.gate.policy = trust::Policy{};
  CHECK_NOTHROW(pass_gate_inside(run.world(), run.options(), run.gate, "x86_64-linux"));
  CHECK(run.words.said.find("the seed can't be checked from inside its container") !=
        std::string::npos);
}

}  // namespace seed::app
