#include "app/journal.hpp"

#include "support/catch.hpp"

namespace seed::app {
namespace {

const std::string kStore = "/nix/store/00000000000000000000000000000000-";

nix::BuildActivity built(const std::string& name, bool failed) {
  return {.derivation = kStore + name + ".drv",
          .start = 1,
          .seconds = 2,
          .failed = failed,
          .why = failed ? "exit code 1" : "",
          .log = {"one", "two"},
          .log_lines = 7};
}

}  // namespace

TEST_CASE("the step under way is in the journal when it fails") {
  Journal journal;
  CHECK(journal.elapsed() == 0);
  try {
    Stopwatch stopwatch(journal);
    stopwatch.start("evaluate");
    stopwatch.start("build");
    throw Error("it broke");
  } catch (const Error& error) {
    CHECK(failure_of(journal).step == "build");
    CHECK(error.message() == "it broke");
  }
  REQUIRE(journal.timings.size() == 2);
  CHECK(journal.timings[0].step == "evaluate");
  CHECK(journal.start_ns > 1'700'000'000'000'000'000);
}

TEST_CASE("a failed run is told with what it had done") {
  const Journal journal{.command = "build",
                        .flake = ".",
                        .builds = {built("lib-1", false), built("app-1", true)},
                        .nix_log = false};
  const report::Failure failure = failure_of(journal);
  CHECK(failure.flake == ".");
  CHECK(failure.derivations.size() == 2);
  REQUIRE(failure.failed.size() == 1);
  CHECK(failure.failed[0].path == kStore + "app-1.drv");
  CHECK(failure.failed[0].log == std::vector<std::string>{"one", "two"});
  CHECK(failure.failed[0].log_lines == 7);
  CHECK_FALSE(failure.nix_log);
}

TEST_CASE("a failed build is told by the derivations that failed") {
  Journal journal;
  CHECK(build_error(journal, 1).message() == "nix build failed with exit code 1");
  journal.builds = {built("lib-1", false), built("app-1", true)};
  CHECK(build_error(journal, 1).message() == "a derivation of the flake failed to build: app-1");
  for (int i = 2; i < 8; ++i) {
    journal.builds.push_back(built("app-" + std::to_string(i), true));
  }
  CHECK(build_error(journal, 1).message() ==
        "7 derivations of the flake failed to build: app-1, app-2, app-3, app-4, app-5 and 2 more");
}

TEST_CASE("what was built is what Nix said that it built") {
  Journal journal{.builds = {built("app-1", false)}};
  report::BuildRecord record{.built = {"forecast", "of two"}};
  complete(record, journal);
  CHECK(record.built == std::vector<std::string>{kStore + "app-1.drv"});
  CHECK(record.derivations.size() == 1);
  journal.builds.clear();
  record.built = {"forecast"};
  complete(record, journal);
  CHECK(record.built == std::vector<std::string>{"forecast"});
}

}  // namespace seed::app
