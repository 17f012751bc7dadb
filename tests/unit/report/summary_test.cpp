#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "samples.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::report {
namespace {

using test::golden;

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

/// Without the blocks in which every line is only text.
std::string outside_fences(std::string_view text) {
  std::string out;
  std::string fence;
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t ticks = std::min(line.find_first_not_of('`'), line.size());
    if (fence.empty() && ticks >= 3) {
      fence = line.substr(0, ticks);
    } else if (!fence.empty() && line == fence) {
      fence.clear();
    } else if (fence.empty()) {
      out += std::string(line) + "\n";
    }
  }
  CHECK(fence.empty());
  return out;
}

/// Whether Markdown follows HTML without the empty line that ends it.
bool html_swallows_markdown(const std::string& text) {
  bool in_html = false;
  const std::string markdown = outside_fences(text);
  for (const std::string_view line : split(markdown, '\n')) {
    if (in_html && !line.empty() && !line.starts_with('<')) {
      return true;
    }
    in_html =
        line.starts_with("<details") || line.starts_with("</details") || (in_html && !line.empty());
  }
  return false;
}

bool has_control(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (text.front() != '\n' && is_control(text.substr(0, length))) {
      return true;
    }
    text.remove_prefix(length);
  }
  return false;
}

}  // namespace

TEST_CASE("the summary of a seed run says what became of the seed") {
  CHECK(golden("report/seed-built.md", to_markdown(sample_seed(SeedStatus::built))));
  CHECK(golden("report/seed-refreshed.md", to_markdown(sample_seed(SeedStatus::refreshed))));
  CHECK(golden("report/seed-aliased.md", to_markdown(sample_seed(SeedStatus::aliased))));
  CHECK(golden("report/seed-reused.md", to_markdown(sample_seed(SeedStatus::reused))));
  CHECK(golden("report/seed-stale.md", to_markdown(sample_seed(SeedStatus::stale))));
  CHECK(golden("report/seed-missing.md", to_markdown(sample_seed(SeedStatus::missing))));
}

TEST_CASE("the summary of a build says where it ran and what came out") {
  CHECK(golden("report/build-in-seed.md", to_markdown(sample_build(BuildMode::in_seed))));
  CHECK(golden("report/build-stale.md", to_markdown(sample_build(BuildMode::stale))));
  CHECK(golden("report/build-unevaluated.md", to_markdown(sample_unevaluated())));
  CHECK(golden("report/build-seedless.md", to_markdown(sample_build(BuildMode::seedless))));
}

TEST_CASE("the summary of a failed run says what failed and shows the ends of its logs") {
  CHECK(golden("report/build-failed.md", to_markdown(sample_failed_build())));
  CHECK(golden("report/seed-failed.md", to_markdown(sample_failed_seed())));
}

TEST_CASE("hostile names change no table and bring no HTML") {
  const std::string seed = to_markdown(hostile_seed());
  const std::string build = to_markdown(hostile_build());
  const std::string failure = to_markdown(hostile_failure());
  CHECK(golden("report/seed-hostile.md", seed));
  CHECK(golden("report/build-hostile.md", build));
  CHECK(golden("report/failure-hostile.md", failure));
  for (const std::string& text : {seed, build, failure}) {
    CHECK_THAT(outside_fences(text), !Catch::Contains("\n| new"));
    CHECK_THAT(outside_fences(text), !Catch::Contains("\n# "));
    CHECK(is_utf8(text));
    CHECK_FALSE(has_control(text));
  }
}

TEST_CASE("no part of a summary is swallowed by the HTML before it") {
  Failure noticed = sample_failed_build();
  noticed.notices = {"one"};
  for (const std::string& text : {to_markdown(sample_seed(SeedStatus::refreshed)),
                                  to_markdown(sample_build(BuildMode::stale)),
                                  to_markdown(sample_unevaluated()),
                                  to_markdown(noticed)}) {
    CHECK_FALSE(html_swallows_markdown(text));
  }
  CHECK(html_swallows_markdown("</details>\n| a |\n"));
}

TEST_CASE("a summary keeps its head and the newest logs within the host's limit") {
  Failure failure = sample_failed_build();
  failure.failed.clear();
  failure.nix_log = true;
  for (int i = 0; i < 40; ++i) {
    FailedDerivation derivation{.path = some_path("part-" + std::to_string(i) + ".drv")};
    derivation.log.assign(200, std::string(1500, 'x'));
    derivation.log.push_back("the last line of part " + std::to_string(i) + ".");
    failure.failed.push_back(derivation);
  }
  const std::string text = to_markdown(failure);
  CHECK(text.size() <= kMaxSummaryBytes);
  CHECK(text.size() > kMaxSummaryBytes * 3 / 4);
  CHECK_THAT(text, Catch::StartsWith("## 🌱 nix-seed · ❌ build failed"));
  CHECK_THAT(text, Catch::Contains("the last line of part 39."));
  CHECK_THAT(text, !Catch::Contains("the last line of part 0."));
  CHECK_THAT(text, Catch::Contains("35 logs omitted"));
  CHECK_THAT(text, Catch::Contains("$ nix log " + some_path("part-34.drv") + "\n"));
  CHECK_THAT(text, Catch::Contains("# and 15 more"));
  CHECK_THAT(text, Catch::EndsWith("hides this</sub>\n"));
  failure.nix_log = false;
  CHECK_THAT(to_markdown(failure), Catch::Contains("35 logs omitted"));
  CHECK_THAT(to_markdown(failure), !Catch::Contains("nix log"));
}

TEST_CASE("a summary has a bound whatever a record holds") {
  const std::string much = std::string(10'000, '@');
  SeedRecord seed = hostile_seed();
  seed.notices.assign(1000, much);
  seed.targets.assign(1000, much);
  seed.layers.assign(1000, seed.layers.front());
  seed.layers[0].title = much;
  seed.changed.assign(1000, {much, much, much});
  seed.timings.assign(1000, {much, 1});
  seed.derivations.assign(1000, {.path = much, .seconds = 9});
  BuildRecord build = hostile_build();
  build.mode = BuildMode::stale;
  build.missing.assign(1000, much);
  build.built.assign(1000, much);
  build.results.assign(1000, build.results.front());
  build.results[1].attribute = much;
  build.reason = much;
  Failure failure = hostile_failure();
  failure.message = much + "\n" + much;
  failure.notices.assign(1000, much);
  failure.failed.assign(20, {.path = much, .why = much, .log = {200, much}});
  CHECK(to_markdown(seed).size() <= kMaxSummaryBytes);
  CHECK(to_markdown(build).size() <= kMaxSummaryBytes);
  CHECK(to_markdown(failure).size() <= kMaxSummaryBytes);
}

TEST_CASE("a seed's page is linked only where it is known") {
  SeedRecord record = sample_seed(SeedStatus::reused);
  const auto page = "](https://github.com/acme/app/pkgs/container/";
  CHECK_THAT(to_markdown(record), Catch::Contains(std::string(page) + "app-seed)"));
  record.repository = "ghcr.io/acme/app/seed";
  CHECK_THAT(to_markdown(record), Catch::Contains(std::string(page) + "app%2Fseed)"));
  record.run.source_url = "https://github.com/ACME/App";
  CHECK_THAT(to_markdown(record), Catch::Contains("](https://github.com/ACME/App/pkgs/"));
  record.run.source_url = "https://github.com/acme/app";
  for (const std::string other :
       {"registry.gitlab.com/acme/app", "ghcr.io/other/app-seed", "localhost:5000/acme/app"}) {
    record.repository = other;
    CHECK_THAT(to_markdown(record), !Catch::Contains("pkgs"));
  }
}

TEST_CASE("the last lines of a run are for people") {
  CHECK(golden("report/seed-refreshed.txt", to_text(sample_seed(SeedStatus::refreshed))));
  CHECK(golden("report/seed-reused.txt", to_text(sample_seed(SeedStatus::reused))));
  CHECK(golden("report/seed-stale.txt", to_text(sample_seed(SeedStatus::stale))));
  CHECK(golden("report/seed-missing.txt", to_text(sample_seed(SeedStatus::missing))));
  CHECK(golden("report/build-in-seed.txt", to_text(sample_build(BuildMode::in_seed))));
  CHECK(golden("report/build-stale.txt", to_text(sample_build(BuildMode::stale))));
  CHECK(golden("report/build-unevaluated.txt", to_text(sample_unevaluated())));
  CHECK(golden("report/build-seedless.txt", to_text(sample_build(BuildMode::seedless))));
  CHECK(golden("report/build-failed.txt", to_text(sample_failed_build())));
}

TEST_CASE("records are JSON for machines") {
  CHECK(golden("report/seed-refreshed.json", to_json(sample_seed(SeedStatus::refreshed))));
  CHECK(golden("report/seed-missing.json", to_json(sample_seed(SeedStatus::missing))));
  CHECK(golden("report/build-stale.json", to_json(sample_build(BuildMode::stale))));
  CHECK(golden("report/build-failed.json", to_json(sample_failed_build())));
}

TEST_CASE("a record with text that is not UTF-8 is still JSON") {
  SeedRecord seed = sample_seed(SeedStatus::built);
  seed.notices = {"caf\xe9"};
  CHECK(nlohmann::json::parse(to_json(seed))["notices"][0] == "caf\xef\xbf\xbd");
  BuildRecord build = sample_build(BuildMode::seedless);
  build.reason = "\xff";
  CHECK(nlohmann::json::parse(to_json(build))["reason"] == "\xef\xbf\xbd");
}

TEST_CASE("a test report has a case for each derivation, and for the run where it failed itself") {
  const auto cases = test_cases(sample_failed_build());
  REQUIRE(cases.size() == 3);
  CHECK(cases[0].name == "app-lib-1.4.2");
  CHECK(cases[0].seconds == 5.4);
  CHECK(cases[0].failure.empty());
  CHECK(cases[2].name == "app-1.4.2");
  CHECK_THAT(cases[2].failure, Catch::StartsWith("exit code 1\nbuilding\n"));
  const auto refused = test_cases(sample_failed_seed());
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].name == "seed");
  CHECK_THAT(refused[0].failure, Catch::Contains("write_package\ngive the job"));
  const auto built = test_cases(sample_build(BuildMode::in_seed));
  REQUIRE(built.size() == 4);
  CHECK(built[3].name == "packages.x86_64-linux.default^dev");
}

}  // namespace seed::report
