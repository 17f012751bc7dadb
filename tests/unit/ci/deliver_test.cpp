#include "hosts.hpp"
#include "support/actions_runner.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::ci {
namespace {

using namespace test;

constexpr Time kNow{std::chrono::seconds(1'764'000'000)};

/// A report with something hostile in every place that outsiders can write to.
Report report() {
  return {.command = "seed",
          .outputs = {{"image", "ghcr.io/acme/app-seed@sha256:00"},
                      {"tag", "988904cb"},
                      {"status", "built"},
                      {"closure", "it's $(id) `id`; 100% ]"},
                      {"empty", ""}},
          .summary = "## 🌱 nix-seed\n\ntext\n",
          .annotations = {{.level = Level::warning,
                           .id = "NS002",
                           .message = "100% denied\n::error::evil ##vso[task.complete]",
                           .file = "sub, folder:a]/flake.nix",
                           .line = 1},
                          {.level = Level::notice, .id = "", .message = "a notice", .file = ""}},
          .checks = {{.name = "the seed is closed", .seconds = 1.5, .failure = ""},
                     {.name = "a <b> & \"c\"", .seconds = 0, .failure = "it is\n<not>"}},
          .links = {{"seed \"image\"", "https://example.org/a?b=c"}},
          .artifact = "ghcr.io/acme/app-seed@sha256:00"};
}

/// Everything a host does in a run.
std::string run_of(const Host& host) {
  Effects effects = host.mask(std::vector<std::string>{"planted secret%\n"});
  add(effects, host.open_group("Preflight", kNow));
  add(effects, host.close_group("Preflight", kNow));
  add(effects, host.heading("Build"));
  add(effects, host.stop_commands("token"));
  add(effects, host.resume_commands("token"));
  add(effects, host.deliver(report()));
  return show(effects);
}

}  // namespace

TEST_CASE("what each host is told is exactly its golden") {
  CHECK(seed::test::golden(
      "ci/github.txt", run_of(*host_of(with(kGithub, {{"GITHUB_ARTIFACTS", "/w/artifacts"}})))));
  CHECK(seed::test::golden("ci/forgejo.txt", run_of(*host_of(forgejo()))));
  CHECK(seed::test::golden("ci/gitea.txt", run_of(*host_of(gitea()))));
  CHECK(seed::test::golden("ci/gitlab.txt", run_of(*host_of(kGitlab))));
  CHECK(seed::test::golden("ci/buildkite.txt", run_of(*host_of(kBuildkite))));
  CHECK(seed::test::golden("ci/circleci.txt", run_of(*host_of(kCircleci))));
  CHECK(seed::test::golden("ci/azure.txt", run_of(*host_of(kAzure))));
  CHECK(run_of(*host_of({{"CI", "1"}})).empty());
  CHECK(run_of(no_host()).empty());
}

TEST_CASE("the runner reads GitHub's annotations and outputs as they were meant") {
  std::string log;
  std::string outputs;
  for (const Effect& effect : host_of(kGithub)->deliver(report())) {
    if (const auto* print = std::get_if<Print>(&effect)) {
      log += print->line + "\n";
    } else if (const auto* append = std::get_if<Append>(&effect);
               append != nullptr && append->path == "/w/_temp/output") {
      outputs += append->text;
    }
  }
  const auto commands = seed::test::read_log_commands(log);
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].name == "warning");
  CHECK(commands[0].data == report().annotations[0].message);
  CHECK(commands[0].properties.at("file") == "sub, folder:a]/flake.nix");
  CHECK(commands[0].properties.at("line") == "1");
  CHECK(commands[0].properties.at("title") == "nix-seed NS002");
  CHECK(commands[1].name == "notice");
  std::vector<Output> read;
  for (const auto& [name, value] : seed::test::read_file_commands(outputs)) {
    read.push_back({name, value});
  }
  CHECK(read == report().outputs);
}

TEST_CASE("GITHUB_OUTPUT that is not set is a warning, not silence") {
  const Effects effects =
      host_of(with(kGithub, {{"GITHUB_OUTPUT", ""}, {"GITHUB_STEP_SUMMARY", ""}}))
          ->deliver({.command = "seed", .outputs = {{"image", "x"}}});
  CHECK(show(effects) ==
        "---- print to stderr\n::warning title=nix-seed::GITHUB_OUTPUT is not set, so no other "
        "step learns the outputs: pass it on to where nix-seed runs\n");
}

TEST_CASE("secrets are told to hosts that mask only where somebody reads commands") {
  const std::vector<std::string> secrets{"planted"};
  CHECK(show(host_of(kGithub)->mask(secrets)) ==
        "---- print to stderr, unredacted\n::add-mask::planted\n");
  CHECK(show(host_of(kAzure)->mask(secrets)) ==
        "---- print to stdout, unredacted\n##vso[task.setsecret]planted\n");
  CHECK(host_of({{"NIX_SEED_CI", "github"}})->mask(secrets).empty());
  CHECK(host_of({{"NIX_SEED_CI", "azure"}})->mask(secrets).empty());
  CHECK(host_of(kGitlab)->mask(secrets).empty());
}

TEST_CASE("no line of a log is a command to the runner once it was made harmless") {
  const auto host = host_of(kGithub);
  for (const char* line : {"::error::x",
                           "  \t::add-mask::x",
                           "\xc2\xa0::error::x",
                           "\xe2\x80\xa8\xe3\x80\x80::error::x",
                           "progress\r::error::x",
                           "\r\r ::stop-commands::y\r::error::z",
                           "building ##[add-mask]x",
                           "##[error]x ##[warning]y",
                           "\v\f::error::x"}) {
    CHECK_FALSE(seed::test::read_log_commands(std::string(line) + "\n").empty());
    CHECK(seed::test::read_log_commands(host->harmless(line) + "\n").empty());
  }
  CHECK(host->harmless("std::vector<int> a::b") == "std::vector<int> a::b");
  CHECK(host->harmless("").empty());
}

TEST_CASE("other hosts see no commands in harmless lines either") {
  CHECK(host_of(kAzure)->harmless("x ##vso[task.complete]y ##[error]z") ==
        "x ##\xe2\x80\x8bvso[task.complete]y ##\xe2\x80\x8b[error]z");
  CHECK(host_of(kGitlab)->harmless("\x1b[0Ksection_start:1:a\r\x1b[0Kx") ==
        "\x1b[0Ksection\xe2\x80\x8b_start:1:a\r\x1b[0Kx");
  CHECK(host_of(kBuildkite)->harmless("--- evil") == " --- evil");
  CHECK(host_of(kBuildkite)->harmless("\x1b]1338;url=x\a") == "\xef\xbf\xbd]1338;url=x\a");
  CHECK(no_host().harmless("::error::x") == "::error::x");
}

TEST_CASE("while commands are stopped a hostile log can't start one, nor guess how to go on") {
  const auto host = host_of(kGithub);
  std::string log;
  const auto print = [&](const Effects& effects) {
    for (const Effect& effect : effects) {
      log += std::get<Print>(effect).line + "\n";
    }
  };
  print(host->stop_commands("d6f8a1"));
  log += "::error::one\n::guess::\n##[error]two\n::resume::\n";
  print(host->resume_commands("d6f8a1"));
  print(host->open_group("x", kNow));
  const auto commands = seed::test::read_log_commands(log);
  REQUIRE(commands.size() == 2);
  CHECK(commands[0].name == "stop-commands");
  CHECK(commands[1].name == "group");
}

TEST_CASE("a dotenv file of GitLab's holds what its grammar can, within its limit") {
  const auto text_of_file = [](std::vector<Output> outputs) {
    const Effects effects =
        host_of(kGitlab)->deliver({.command = "seed", .outputs = std::move(outputs)});
    REQUIRE(effects.size() == 1);
    return std::get<Write>(effects.front()).text;
  };
  CHECK(text_of_file({{"image", "a/b@sha256:0"}, {"status", "built"}}) ==
        "NIX_SEED_IMAGE=a/b@sha256:0\nNIX_SEED_STATUS=built\n");
  CHECK(text_of_file({{"image", ""}, {"status", "missing"}}) == "NIX_SEED_STATUS=missing\n");
  for (const char* value : {"a\nNIX_SEED_IMAGE=evil", "a b", "$HOME", "'a'", "\"", "\\", "ü"}) {
    CHECK(text_of_file({{"image", value}}).empty());
  }
  CHECK(text_of_file({{"image", std::string(6000, 'a')}, {"tag", "t"}}) == "NIX_SEED_TAG=t\n");
}

TEST_CASE("seed and build do not overwrite each other's outputs on GitLab") {
  const Effects effects =
      host_of(kGitlab)->deliver({.command = "build", .outputs = {{"mode", "seed"}}});
  CHECK(show(effects) ==
        "---- write /builds/acme/app/nix-seed-build.env\nNIX_SEED_BUILD_MODE=seed\n");
}

}  // namespace seed::ci
