// What actions and templates hand to the program is what it asks for.
#include <regex>
#include <set>

#include "app/commands.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::app {
namespace {

using Names = std::set<std::string>;

/// The variables that the file sets for the program.
Names variables_of(const std::string& text) {
  static const std::regex kLine(R"((?:^|\n) +(NIX_SEED_[A-Z_]+):)");
  Names names;
  for (std::sregex_iterator match(text.begin(), text.end(), kLine), end; match != end; ++match) {
    names.insert((*match)[1]);
  }
  return names;
}

/// Of those, what is neither an option of the command nor read from the environment alone.
Names unheard(Names names, const Command& command) {
  for (const OptionSpec& option : command.options) {
    names.erase(variable_of(option.name));
  }
  for (const char* known : {"NIX_SEED_BIN",  // of actions/bootstrap.sh
                            "NIX_SEED_CHECK_RUN_ID",
                            "NIX_SEED_FLAKE",
                            "NIX_SEED_LOCK_HASH",
                            "NIX_SEED_REGISTRY_PASSWORD",
                            "NIX_SEED_REGISTRY_USER"}) {
    names.erase(known);
  }
  return names;
}

}  // namespace

TEST_CASE("the actions set variables that the program reads") {
  const Names seed = variables_of(test::checkout_file("action.yml"));
  const Names build = variables_of(test::checkout_file("actions/build.yaml/action.yml"));
  CHECK(seed.size() == 13);
  CHECK(build.size() == 12);
  CHECK(unheard(seed, kSeedCommand) == Names{});
  CHECK(unheard(build, kBuildCommand) == Names{});
  const Names run = variables_of(test::checkout_file("actions/run/action.yml"));
  CHECK(run.size() == 9);
  CHECK(unheard(run, kRunCommand) == Names{});
  const Names promote = variables_of(test::checkout_file("actions/promote/action.yml"));
  CHECK(promote.size() == 12);
  CHECK(unheard(promote, kPromoteCommand) == Names{});
}

TEST_CASE("the template of GitLab sets variables that the program reads") {
  const std::string text = test::checkout_file("ci-templates/nix-seed.yml");
  const std::size_t second = text.find("-build\":\n");
  REQUIRE(second != std::string::npos);
  const Names seed = variables_of(text.substr(0, second));
  const Names build = variables_of(text.substr(second));
  CHECK(seed.size() == 5);
  CHECK(build.size() == 5);
  CHECK(unheard(seed, kSeedCommand) == Names{});
  // the one by which its script tells the fallback from a seed
  CHECK(unheard(build, kBuildCommand) == Names{"NIX_SEED_FALLBACK_IMAGE"});
}

}  // namespace seed::app
