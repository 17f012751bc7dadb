#include "app/trust_material.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "os/file.hpp"
#include "sigstore/embedded.hpp"
#include "sigstore/rfc3339.hpp"
#include "sigstore/tuf_rules.hpp"
#include "support/catch.hpp"
#include "support/fake_runner.hpp"
#include "support/tuf_repository.hpp"

namespace seed::app {
namespace {

/// Keeps what people are told.
class Notices final : public Progress {
 public:
  std::vector<std::string> texts;

  void step(std::string_view) override {}

  void notice(std::string_view text) override { texts.emplace_back(text); }

  void bytes(std::uint64_t, std::uint64_t) override {}

  void output(std::string_view) override {}
};

/// A machine with a cache, a clock, and a network on which there is one TUF repository.
struct Machine {
  os::TempDir temp;
  test::SetClock clock;
  Notices notices;
  test::FakeRunner runner;
  test::TufRepository repository;
  test::TufServer server{repository};
  Journal journal;
  os::Environment environment{{"NIX_SEED_CACHE", (temp.path() / "cache").string()}};
  std::vector<std::string> arguments;

  Machine() {
    clock.time = sigstore::parse_rfc3339("2026-05-01T00:00:00Z");
    repository.contents["trusted_root.json"] = sigstore::embedded::kTrustedRoot;
    repository.contents["signing_config.v0.2.json"] = sigstore::embedded::kSigningConfig;
    repository.publish_next();
  }

  /// Uses the repository instead of the public one.
  void use_private() {
    os::atomic_write(temp.path() / "root.json", repository.root_text());
    environment["NIX_SEED_TUF_MIRROR"] = test::kTufUrl;
    environment["NIX_SEED_TUF_ROOT"] = "root.json";
  }

  World world() {
    return {.environment = environment,
            .directory = temp.path(),
            .self = {},
            .clock = clock,
            .progress = notices,
            .runner = runner,
            .transport = server,
            .journal = journal};
  }

  Options options() const {
    static constexpr std::array kSpecs{kTrustedRootOption, kSigningConfigOption};
    return Options::parse("verify", kSpecs, arguments, environment);
  }

  std::size_t logs() { return trusted_root_for(world(), options()).transparency_logs.size(); }

  std::size_t services() { return signing_config_for(world(), options()).logs.size(); }

  /// "message", or "message; hint".
  std::string refusal() {
    try {
      logs();
      services();
    } catch (const Error& error) {
      return error.message() + (error.hint().empty() ? "" : "; hint: " + error.hint());
    }
    return "accepted";
  }
};

constexpr const char* kHint =
    "; hint: let this machine reach it, or name whom to believe with --trusted-root FILE";

}  // namespace

TEST_CASE("with --trusted-root the file is believed, and nobody is asked") {
  Machine machine;
  machine.server.down = true;
  os::atomic_write(machine.temp.path() / "root.jsonl",
                   std::string(sigstore::embedded::kTrustedRoot));
  machine.arguments = {"--trusted-root", "root.jsonl"};
  CHECK(machine.logs() == 2);
  SECTION("and nothing is signed but where the user says") {
    CHECK(machine.refusal() ==
          "--trusted-root says whom to believe, and nothing says where to sign; hint: name the "
          "services with --signing-config FILE");
    os::atomic_write(machine.temp.path() / "config.json", sigstore::embedded::kSigningConfig);
    machine.arguments.insert(machine.arguments.end(), {"--signing-config", "config.json"});
    CHECK(machine.services() == 1);
  }
  SECTION("a file that is none is named") {
    os::atomic_write(machine.temp.path() / "root.jsonl", "{");
    CHECK(machine.refusal().starts_with("reading --trusted-root root.jsonl: "));
    machine.arguments = {"--trusted-root", "none"};
    CHECK(machine.refusal().starts_with("reading --trusted-root none: opening "));
  }
  CHECK(machine.server.asked.empty());
  CHECK(machine.notices.texts.empty());
}

TEST_CASE("a TUF repository of one's own is asked, once a day") {
  Machine machine;
  machine.use_private();
  CHECK(machine.logs() == 2);
  CHECK(machine.server.asked.size() == 5);
  CHECK(machine.services() == 1);
  // The metadata is of today, but the target is not there yet: it is asked for with the rest.
  CHECK(machine.server.asked.size() == 8);
  CHECK(machine.logs() == 2);
  CHECK(machine.services() == 1);
  CHECK(machine.server.asked.size() == 8);
  machine.clock.time += std::chrono::hours(24);
  CHECK(machine.logs() == 2);
  CHECK(machine.services() == 1);
  CHECK(machine.server.asked.size() == 10);
  CHECK(machine.notices.texts.empty());
}

TEST_CASE("a repository that can't be reached is told of, and its last answer serves") {
  Machine machine;
  machine.use_private();
  machine.repository.timestamp.expires = "2026-05-08T00:00:00Z";
  machine.repository.publish_next();
  REQUIRE(machine.logs() == 2);
  machine.server.down = true;
  machine.clock.time += std::chrono::hours(24);
  CHECK(machine.logs() == 2);
  CHECK(machine.notices.texts ==
        std::vector<std::string>{
            "asking https://tuf.example/repo for trusted_root.json: getting 2.root.json: "
            "tuf.example: "
            "no route to host; what it said at 2026-05-01T00:00:00Z serves, until "
            "2026-05-08T00:00:00Z"});
  SECTION("until it expires") {
    machine.clock.time = sigstore::parse_rfc3339("2026-05-08T00:00:00Z");
    CHECK(
        machine.refusal() ==
        "asking https://tuf.example/repo for trusted_root.json: getting 2.root.json: tuf.example: "
        "no route to host; what it said before has expired at 2026-05-08T00:00:00Z" +
            std::string(kHint));
  }
}

TEST_CASE("a repository of one's own that was never reached has nothing that may serve") {
  Machine machine;
  machine.use_private();
  machine.server.down = true;
  CHECK(
      machine.refusal() ==
      "asking https://tuf.example/repo for trusted_root.json: getting 2.root.json: tuf.example: no "
      "route to host; nothing that it said before may serve" +
          std::string(kHint));
}

TEST_CASE("a repository that breaks a rule is refused, whatever is known") {
  Machine machine;
  machine.use_private();
  const auto before = machine.repository.files;
  machine.repository.publish_next();
  REQUIRE(machine.logs() == 2);
  machine.repository.files = before;
  machine.clock.time += std::chrono::hours(24);
  CHECK_THROWS_AS(machine.logs(), sigstore::tuf::Refused);
  CHECK(machine.notices.texts.empty());
}

TEST_CASE("one half of a repository is not enough") {
  Machine machine;
  machine.environment["NIX_SEED_TUF_MIRROR"] = test::kTufUrl;
  CHECK(
      machine.refusal() ==
      "NIX_SEED_TUF_MIRROR is set, and NIX_SEED_TUF_ROOT is not; hint: a TUF repository is a URL, "
      "and the root.json that its answers are held to");
  machine.environment["NIX_SEED_TUF_ROOT"] = "none.json";
  CHECK(
      machine.refusal().starts_with("reading NIX_SEED_TUF_MIRROR and NIX_SEED_TUF_ROOT: opening "));
  machine.environment.erase("NIX_SEED_TUF_MIRROR");
  CHECK(machine.refusal().starts_with("NIX_SEED_TUF_ROOT is set, and NIX_SEED_TUF_MIRROR is not"));
}

/// A machine that never gets through to the public repository.
class Unreachable final : public http::Transport {
 public:
  http::Response send(const http::Request& request) override {
    CHECK(request.on_fault == http::OnFault::pass_on);
    asked.push_back(request.url);
    throw NetworkError("no network here");
  }

  std::vector<std::string> asked;
};

TEST_CASE(
    "where Sigstore was never reached, what the program was built with serves until it expires") {
  Machine machine;
  Unreachable nowhere;
  const World world{.environment = machine.environment,
                    .directory = machine.temp.path(),
                    .self = {},
                    .clock = machine.clock,
                    .progress = machine.notices,
                    .runner = machine.runner,
                    .transport = nowhere,
                    .journal = machine.journal};
  CHECK(trusted_root_for(world, machine.options()).transparency_logs.size() == 2);
  CHECK(signing_config_for(world, machine.options()).logs.size() == 1);
  CHECK(nowhere.asked[0] == "https://tuf-repo-cdn.sigstore.dev/17.root.json");
  const std::string serves =
      ": getting 17.root.json: no network here; what this program was built with serves, until "
      "2027-04-22T19:27:31Z";
  CHECK(machine.notices.texts ==
        std::vector<std::string>{
            "asking https://tuf-repo-cdn.sigstore.dev for trusted_root.json" + serves,
            "asking https://tuf-repo-cdn.sigstore.dev for signing_config.v0.2.json" + serves});
  const auto refusal = [&] {
    try {
      trusted_root_for(world, machine.options());
    } catch (const NetworkError& error) {
      return error.message();
    }
    return std::string("accepted");
  };
  machine.clock.time = sigstore::parse_rfc3339("2027-04-22T19:27:31Z");
  CHECK(refusal() ==
        "asking https://tuf-repo-cdn.sigstore.dev for trusted_root.json: getting 17.root.json: no "
        "network here; what this program was built with has expired");
  machine.clock.time -= std::chrono::seconds(1);
  CHECK(refusal() == "accepted");
  SECTION("but not where the cache has been further, even if nothing of it holds now") {
    for (const auto& entry :
         std::filesystem::directory_iterator(machine.temp.path() / "cache/tuf")) {
      os::atomic_write(entry.path() / "state.json", "{}");
    }
    CHECK(refusal().ends_with("no network here; nothing that it said before may serve"));
  }
}

TEST_CASE("where there is no cache every run asks") {
  Machine machine;
  machine.use_private();
  os::atomic_write(machine.temp.path() / "file", "");
  machine.environment["NIX_SEED_CACHE"] = (machine.temp.path() / "file/cache").string();
  CHECK(machine.logs() == 2);
  CHECK(machine.logs() == 2);
  CHECK(machine.server.asked.size() == 10);
}

}  // namespace seed::app
