#include "nix/flake_targets.hpp"

#include <map>

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/fake_runner.hpp"
#include "support/quiet.hpp"

namespace seed::nix {
namespace {

using Answer = test::FakeRunner::Answer;

const std::string kDrvA = "/nix/store/" + std::string(32, 'a') + "-a.drv";
const std::string kDrvB = "/nix/store/" + std::string(32, 'b') + "-b.drv";

std::string list(const std::string& path) {
  return "[\"" + path + "\"]";
}

/// Answers `nix eval` of an attribute as Nix 2.34 does; attributes without an answer are not there.
struct Fixture {
  test::FakeRunner runner;
  test::Quiet progress;
  Nix nix{runner, progress, "nix"};
  std::map<std::string, Answer> answers;
  std::vector<std::string> asked;

  Fixture() {
    runner.answer = [this](const os::Command& command) {
      for (const std::string& argument : command.argv) {
        if (argument.starts_with("f#")) {
          return answer(argument.substr(2), command.argv.back() == "builtins.attrNames");
        }
      }
      FAIL("no installable");
      return Answer{};
    };
  }

  Answer answer(const std::string& attribute, bool names) {
    asked.push_back(attribute);
    const auto found = answers.find(names ? attribute + " names" : attribute);
    return found != answers.end()
               ? found->second
               : Answer{1, "", "error: flake 'f' does not provide attribute '" + attribute + "'\n"};
  }
};

Target target(const std::string& attribute, TargetKind kind, const std::string& drv) {
  return {attribute, kind, {StorePath::parse(drv)}};
}

TEST_CASE("targets are found by category and by name") {
  Fixture t;
  t.answers["packages.x86_64-linux"] = {
      0, R"({"z":)" + list(kDrvB) + R"(,"default":)" + list(kDrvA) + "}", ""};
  t.answers["checks.x86_64-linux"] = {0, R"({"unit":)" + list(kDrvA) + "}", "warning: dirty\n"};
  t.answers["formatter.x86_64-linux"] = {0, list(kDrvB), ""};
  t.answers["devShell.x86_64-linux"] = {0, list(kDrvA), ""};
  const Targets targets = find_targets(t.nix, "f", "x86_64-linux");
  CHECK(targets.wanted ==
        std::vector{target("packages.x86_64-linux.default", TargetKind::package, kDrvA),
                    target("packages.x86_64-linux.z", TargetKind::package, kDrvB),
                    target("checks.x86_64-linux.unit", TargetKind::check, kDrvA),
                    target("formatter.x86_64-linux", TargetKind::formatter, kDrvB),
                    target("devShell.x86_64-linux", TargetKind::dev_shell, kDrvA)});
  CHECK(targets.skipped.empty());
}

TEST_CASE("an app holds the derivations of its program and not its plain files") {
  Fixture t;
  t.answers["apps.s"] = {
      0,
      R"({"none":[],"run":[")" + kDrvA + R"(","/nix/store/)" + std::string(32, 'c') + R"(-x.sh"]})",
      ""};
  const Targets targets = find_targets(t.nix, "f", "s");
  CHECK(targets.wanted == std::vector{Target{"apps.s.none", TargetKind::app, {}},
                                      target("apps.s.run", TargetKind::app, kDrvA)});
}

TEST_CASE("what is no derivation and what lib.mkSeed made is left out") {
  Fixture t;
  t.answers["packages.s"] = {0, R"({"a":)" + list(kDrvA) + R"(,"seed":null})", ""};
  CHECK(find_targets(t.nix, "f", "s").wanted.size() == 1);
}

TEST_CASE("names are quoted as attribute paths need it") {
  Fixture t;
  t.answers["packages.s"] = {0,
                             R"({"a.b":)" + list(kDrvA) + R"(,"4c":)" + list(kDrvA) + R"(,"":)" +
                                 list(kDrvA) + R"(,"d'_-9":)" + list(kDrvA) + "}",
                             ""};
  std::vector<std::string> names;
  for (const Target& found : find_targets(t.nix, "f", "s").wanted) {
    names.push_back(found.attribute);
  }
  CHECK(names ==
        std::vector<std::string>{
            R"(packages.s."")", R"(packages.s."4c")", R"(packages.s."a.b")", "packages.s.d'_-9"});
}

TEST_CASE("a name that no attribute path can spell is skipped and said so") {
  Fixture t;
  t.answers["packages.s"] = {
      0, R"({"a\"b":)" + list(kDrvA) + R"(,"c":)" + list(kDrvA) + R"(,"x\"":null})", ""};
  const Targets targets = find_targets(t.nix, "f", "s");
  CHECK(targets.wanted == std::vector{target("packages.s.c", TargetKind::package, kDrvA)});
  REQUIRE(targets.skipped.size() == 1);
  CHECK(targets.skipped[0].attribute == R"(packages.s."a"b")");
  CHECK(targets.skipped[0].why == "a name with a quote in it can't be given to Nix");
}

TEST_CASE("an attribute that throws is skipped and the rest of its set is found") {
  Fixture t;
  t.answers["packages.s"] = {0, R"({"bad":"failed","good":)" + list(kDrvA) + "}", ""};
  const Targets targets = find_targets(t.nix, "f", "s");
  CHECK(targets.wanted == std::vector{target("packages.s.good", TargetKind::package, kDrvA)});
  REQUIRE(targets.skipped.size() == 1);
  CHECK(targets.skipped[0].attribute == "packages.s.bad");
  CHECK(targets.skipped[0].why == "its evaluation throws");
}

TEST_CASE("an attribute that ends the evaluation of its set is met alone") {
  Fixture t;
  t.answers["packages.s"] = {1, "", "error: attribute 'x' missing\n"};
  t.answers["packages.s names"] = {0, R"(["bad","go\"od","good"])", ""};
  t.answers["packages.s.bad"] = {1, "", "error: attribute 'x' missing\n"};
  t.answers["packages.s.good"] = {0, list(kDrvA), ""};
  const Targets targets = find_targets(t.nix, "f", "s");
  CHECK(targets.wanted == std::vector{target("packages.s.good", TargetKind::package, kDrvA)});
  REQUIRE(targets.skipped.size() == 2);
  CHECK(targets.skipped[0].attribute == "packages.s.bad");
  CHECK(targets.skipped[0].why == "evaluating f#packages.s.bad: attribute 'x' missing");
  CHECK(targets.skipped[1].attribute == R"(packages.s."go"od")");
}

TEST_CASE("a set that does not evaluate at all is skipped and the other sets are found") {
  Fixture t;
  t.answers["checks.s"] = {1, "", "error: no checks here\n"};
  t.answers["checks.s names"] = {1, "", "error: no checks here\n"};
  t.answers["devShells.s"] = {0, R"({"default":)" + list(kDrvA) + "}", ""};
  const Targets targets = find_targets(t.nix, "f", "s");
  CHECK(targets.wanted == std::vector{target("devShells.s.default", TargetKind::dev_shell, kDrvA)});
  REQUIRE(targets.skipped.size() == 1);
  CHECK(targets.skipped[0].attribute == "checks.s");
  CHECK(targets.skipped[0].why == "evaluating f#checks.s: no checks here");
}

TEST_CASE("an interrupt ends the search at once") {
  Fixture t;
  const bool later = GENERATE(false, true);
  t.runner.answer = [&, first = true](const os::Command&) mutable -> Answer {
    if (later && std::exchange(first, false)) {
      return {1, "", "error: x\n"};
    }
    throw Interrupted();
  };
  CHECK_THROWS_AS(find_targets(t.nix, "f", "s"), Interrupted);
  CHECK(t.runner.seen.size() == (later ? 2 : 1));
}

TEST_CASE("text that is not JSON is an error that shows it") {
  Fixture t;
  t.answers["packages.s.a"] = {0, "<html>", ""};
  CHECK_THROWS_WITH(find_targets(t.nix, "f", "s", {"a"}),
                    "nix eval --json printed no JSON: <html>");
}

TEST_CASE("a named output is looked up as Nix does") {
  Fixture t;
  t.answers["checks.s.unit"] = {0, list(kDrvA), ""};
  t.answers["packages.s.default"] = {0, list(kDrvB), ""};
  const Targets targets = find_targets(t.nix, "f", "s", {"unit", "packages.s.default"});
  CHECK(targets.wanted == std::vector{target("checks.s.unit", TargetKind::check, kDrvA),
                                      target("packages.s.default", TargetKind::package, kDrvB)});
  CHECK(t.asked ==
        std::vector<std::string>{
            "packages.s.unit", "legacyPackages.s.unit", "checks.s.unit", "packages.s.default"});
}

TEST_CASE("a named output that is not there is a usage error") {
  Fixture t;
  CHECK_THROWS_AS(find_targets(t.nix, "f", "s", {"gone"}), UsageError);
  CHECK_THROWS_WITH(find_targets(t.nix, "f", "s", {"gone"}),
                    "the flake f has no buildable output 'gone' for s");
}

TEST_CASE("a named output that throws is not called absent") {
  Fixture t;
  t.answers["packages.s.a"] = {0, R"("failed")", ""};
  CHECK_THROWS_WITH(find_targets(t.nix, "f", "s", {"a"}),
                    "packages.s.a of the flake f does not evaluate: its evaluation throws");
}

}  // namespace
}  // namespace seed::nix
