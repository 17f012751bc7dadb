#include "app/registry.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/fake_runner.hpp"
#include "support/quiet.hpp"

namespace seed::app {
namespace {

/// A flake whose `seedCfg` evaluates to `json`, on a machine with a program named nix.
struct Machine {
  explicit Machine(const std::string& flake_nix, std::string json = "{}") {
    os::atomic_write(temp.path() / "flake.nix", flake_nix);
    os::atomic_write(temp.path() / "nix", "", 0755);
    project.folder = temp.path();
    project.flake = temp.path().string();
    project.name = "app";
    runner.answer = [json = std::move(json)](const os::Command&) {
      return test::FakeRunner::Answer{0, json, {}};
    };
    environment["PATH"] = temp.path().string();
  }

  std::optional<std::string> registry() { return registry_of_flake(nix, environment, project); }

  /// "message | hint" of the UsageError.
  std::string refusal() {
    try {
      registry();
    } catch (const UsageError& error) {
      return error.message() + " | " + error.hint();
    }
    return "accepted";
  }

  os::TempDir temp;
  test::FakeRunner runner;
  test::Quiet progress;
  nix::Nix nix{runner, progress, "nix"};
  os::Environment environment;
  Project project;
};

constexpr const char* kFlake = "{ outputs = _: { seedCfg = { }; }; }";
constexpr const char* kRegistry = R"({"registry":"ghcr.io/acme/app-seed"})";

}  // namespace

TEST_CASE("the flake's seedCfg names the registry") {
  Machine machine(kFlake, kRegistry);
  CHECK(machine.registry() == "ghcr.io/acme/app-seed");
  REQUIRE(machine.runner.seen.size() == 1);
  CHECK(machine.runner.seen[0].argv.back() == machine.project.flake + "#seedCfg");
}

TEST_CASE("a flake without a seedCfg is not evaluated, and needs no Nix") {
  Machine machine("{ outputs = _: { }; }", kRegistry);
  machine.environment["PATH"] = "/nowhere";
  CHECK(machine.registry() == std::nullopt);
  CHECK(machine.runner.seen.empty());
}

TEST_CASE("a seedCfg without a registry leaves the default") {
  CHECK(Machine(kFlake, R"({"trust":"innocent","registry":null})").registry() == std::nullopt);
}

TEST_CASE("a seedCfg that no Nix can read ends the run") {
  Machine machine(kFlake, kRegistry);
  machine.environment["PATH"] = "/nowhere";
  CHECK(
      machine.refusal() ==
      (machine.temp.path() / "flake.nix").string() +
          " has a seedCfg, and there is no Nix here to read it | name the registry: --registry or "
          "NIX_SEED_REGISTRY");
}

TEST_CASE("a login for no host in particular does not go where the flake says") {
  Machine machine(kFlake, kRegistry);
  machine.environment["NIX_SEED_REGISTRY_PASSWORD"] = "secret";
  CHECK(machine.refusal() ==
        "the registry ghcr.io/acme/app-seed is named by the flake, and the login by no host | set "
        "NIX_SEED_REGISTRY_HOST to the host that may see the login, or name the registry: "
        "--registry or NIX_SEED_REGISTRY");
  machine.environment["NIX_SEED_REGISTRY_HOST"] = "ghcr.io";
  CHECK(machine.registry() == "ghcr.io/acme/app-seed");
}

TEST_CASE("a registry of the flake that is no reference is refused with where it stands") {
  Machine machine(kFlake, R"({"registry":"ghcr.io/Acme/app"})");
  CHECK_THROWS_WITH(
      machine.registry(),
      "seedCfg: 'registry' is \"ghcr.io/Acme/app\", which is not HOST/NAME in lower case without a "
      "tag, or oci:PATH");
}

}  // namespace seed::app
