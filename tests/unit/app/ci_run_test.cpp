#include "app/ci_run.hpp"

#include <filesystem>

#include "os/file.hpp"
#include "support/actions_runner.hpp"
#include "support/catch.hpp"
#include "support/fake_runner.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

struct Rig {
  Rig() {
    runner.answer = [](const os::Command&) { return test::FakeRunner::Answer{}; };
  }

  os::Environment github(const os::Environment& more = {}) const {
    os::Environment environment{{"GITHUB_ACTIONS", "true"},
                                {"GITHUB_EVENT_NAME", "push"},
                                {"GITHUB_OUTPUT", path("output")},
                                {"GITHUB_STEP_SUMMARY", path("summary")},
                                {"GITHUB_TOKEN", "ghs_planted"},
                                {"GITHUB_WORKSPACE", path("")}};
    for (const auto& [name, value] : more) {
      environment[name] = value;
    }
    return environment;
  }

  CiRun& start(const os::Environment& environment, const std::string& summary = "") {
    run = std::make_unique<CiRun>(
        environment,
        runner,
        temp.path(),
        [this](ci::Stream stream, std::string_view text) {
          (stream == ci::Stream::out ? result : log) += text;
        },
        [] { return std::string("0123"); });
    run->start("seed", summary);
    return *run;
  }

  std::string path(const std::string& name) const { return (temp.path() / name).string(); }

  std::string read(const std::string& name) const { return os::read_file(path(name), 4 << 20); }

  os::TempDir temp;
  test::FakeRunner runner;
  std::string log;
  std::string result;
  std::unique_ptr<CiRun> run;
};

std::string failure_of(const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& error) {
    return std::to_string(static_cast<int>(error.code())) + ": " + error.message();
  }
  return "no failure";
}

}  // namespace

TEST_CASE("outputs and the summary go into the host's files, after what is there") {
  Rig rig;
  os::atomic_write(rig.path("output"), "other=1");  // no line feed at its end
  rig.start(rig.github()).deliver({.outputs = {{"image", "a@sha256:0"}}, .summary = "## s\n"});
  CHECK(rig.read("output") == "other=1\nimage<<nixseed_0123\na@sha256:0\nnixseed_0123\n");
  CHECK(rig.read("summary") == "## s\n");
  CHECK(rig.log ==  // printf 'x-access-token:ghs_planted' | base64
        "::add-mask::eC1hY2Nlc3MtdG9rZW46Z2hzX3BsYW50ZWQ=\n::add-mask::ghs_planted\n");
}

TEST_CASE("an output file that can't be written stops the run before any work") {
  Rig rig;
  CHECK(failure_of([&] { rig.start(rig.github({{"GITHUB_OUTPUT", "/proc/none/output"}})); }) ==
        "2: outputs (GITHUB_OUTPUT) can't be written: opening /proc/none/output: No such file or "
        "directory");
}

TEST_CASE("a summary file of the host's that can't be written is a warning") {
  Rig rig;
  CiRun& run = rig.start(rig.github({{"GITHUB_STEP_SUMMARY", "/proc/none/summary"}}));
  run.deliver({.outputs = {{"image", "x"}}, .summary = "s"});
  const auto commands = test::read_log_commands(rig.log);
  const auto warnings = std::count_if(commands.begin(), commands.end(), [](const auto& command) {
    return command.name == "warning";
  });
  CHECK(warnings == 2);
  CHECK(rig.read("output").starts_with("image<<"));
}

TEST_CASE("a summary file that was asked for must be writable, and false means none") {
  Rig rig;
  CHECK(failure_of([&] {
          rig.start(rig.github(), "none/summary.md");
        }).starts_with("2: the summary can't be written: opening "));
  rig.start(rig.github(), "own.md").deliver({.summary = "one\n"});
  CHECK(rig.read("own.md") == "one\n");
  rig.start(rig.github(), "false").deliver({.summary = "two\n"});
  CHECK(rig.read("summary").empty());
  CHECK_FALSE(fs::exists(rig.path("false")));
}

TEST_CASE("an oversized summary is cut within the host's limit, and that is said") {
  Rig rig;
  os::atomic_write(rig.path("summary"), std::string(1'000'000, 'x') + "\n");
  std::string big;
  while (big.size() < 200'000) {
    big += "a line\n";
  }
  rig.start(rig.github()).deliver({.summary = big});
  CHECK(rig.read("summary").size() <= 1 << 20);
  CHECK(rig.read("summary").find("(NS010)") != std::string::npos);
  CHECK(rig.log.find("::warning title=nix-seed NS010::") != std::string::npos);
}

TEST_CASE("an output with a secret in it is withheld by us, with a word, not by the host without") {
  Rig rig;
  rig.start(rig.github())
      .deliver({.outputs = {{"image", "ghcr.io/ghs_planted/app"}, {"tag", "t"}}});
  const auto pairs = test::read_file_commands(rig.read("output"));
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0].second.empty());
  CHECK(pairs[1].second == "t");
  CHECK(rig.log.find("::warning title=nix-seed NS007::the output image has a secret") !=
        std::string::npos);
}

TEST_CASE("a failure ends as an annotation with its code, and with the outputs known by then") {
  Rig rig;
  CiRun& run = rig.start(rig.github());
  run.set_flake_folder(rig.temp.path() / "sub");
  run.expect({{"image", ""}, {"tag", "t"}});
  run.fail(UsageError("there is no flake.lock at /p (NS001)", "run 'nix flake lock'"));
  const auto commands = test::read_log_commands(rig.log);
  const auto& error = commands.back();
  CHECK(error.name == "error");
  CHECK(error.properties.at("title") == "nix-seed NS001");
  CHECK(error.properties.at("file") == "sub/flake.nix");
  CHECK(error.properties.at("line") == "1");
  CHECK(error.data == "there is no flake.lock at /p (NS001)\nrun 'nix flake lock'");
  CHECK(rig.log.find("error: there is no flake.lock at /p (NS001)\nhint: run 'nix flake lock'\n") !=
        std::string::npos);
  CHECK(test::read_file_commands(rig.read("output")).size() == 2);
}

TEST_CASE("without annotations a word to people is a line of the log") {
  Rig rig;
  rig.start({}).tell(ci::Level::warning, "look");
  CHECK(rig.log == "nix-seed: warning: look\n");
}

TEST_CASE("a host's program that fails is a warning, and gets values by standard input") {
  Rig rig;
  rig.runner.answer = [](const os::Command&) { return test::FakeRunner::Answer{3, "", "no\n"}; };
  rig.start({{"BUILDKITE", "true"}}).deliver({.outputs = {{"image", "x"}}});
  REQUIRE(rig.runner.seen.size() == 1);
  CHECK(rig.runner.seen[0].input == "x");
  CHECK(rig.log.find("nix-seed: warning: 'buildkite-agent meta-data set nix-seed-image' failed") !=
        std::string::npos);
}

TEST_CASE("a message names its entry of the catalogue in brackets") {
  CHECK(catalogue_id("x (NS002)") == "NS002");
  CHECK(catalogue_id("x (NSA) y (NS010), z") == "NS010");
  CHECK(catalogue_id("x NS002").empty());
  CHECK(catalogue_id("x (NS00").empty());
  CHECK(catalogue_id("x (NS0020)").empty());
}

}  // namespace seed::app
