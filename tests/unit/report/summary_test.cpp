#include <nlohmann/json.hpp>

#include "report/record.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::report {
namespace {

using image::LayerReceipt;
using image::LayerState;
using test::golden;

LayerReceipt layer(const std::string& title, std::uint64_t size_bytes, LayerState state) {
  return {.blob = {.digest = Digest::of(title),
                   .diff_id = Digest::of(title + " tar"),
                   .size_bytes = size_bytes,
                   .media_type = "application/vnd.oci.image.layer.v1.tar+zstd"},
          .state = state,
          .nar_size = 3 * size_bytes,
          .title = title};
}

SeedRecord seed_record(SeedStatus status) {
  return {.status = status,
          .repository = "ghcr.io/octo/app-seed",
          .tag = std::string(64, '1'),
          .key = "k-" + std::string(32, '2'),
          .system = "x86_64-linux",
          .index = Digest::of("index"),
          .manifest = Digest::of("manifest"),
          .closure = Digest::of("closure"),
          .targets = {"packages.x86_64-linux.default"},
          .tools = "the flake's seed attribute",
          .nix = "nix (Nix) 2.34.8"};
}

SeedRecord packed(SeedStatus status) {
  SeedRecord record = seed_record(status);
  record.paths = 312;
  record.nar_size = 769ULL << 20;
  record.own_derivations = 4;
  record.layers = {layer("glibc-2.40", 12 << 20, LayerState::sent),
                   layer("gcc-14.2.0 +3", 64 << 20, LayerState::sent),
                   layer("the image's own files", 4096, LayerState::sent)};
  record.timings = {{"evaluate", 2.04}, {"pack and push", 71.3}, {"tag", 0.31}};
  record.provenance = "/tmp/provenance.json";
  return record;
}

SeedRecord refreshed() {
  SeedRecord record = packed(SeedStatus::refreshed);
  record.layers[0].state = LayerState::reused;
  record.layers.push_back(layer("bash-5.2", 1 << 20, LayerState::present));
  record.layers.push_back(layer("zlib-1.3", 1 << 19, LayerState::mounted));
  for (int i = 0; i < 20; ++i) {
    record.layers.push_back(layer("small " + std::to_string(i), 1000, LayerState::reused));
  }
  record.notices = {"checks.x86_64-linux.lint was skipped: its evaluation throws"};
  return record;
}

SeedRecord reused() {
  SeedRecord record = seed_record(SeedStatus::reused);
  record.timings = {{"look up", 0.42}};
  return record;
}

SeedRecord aliased() {
  SeedRecord record = seed_record(SeedStatus::aliased);
  record.repository = "oci:/home/a user/.cache/nix-seed/app";
  return record;
}

const std::string kHostile =
    "</details>|<script>alert(1)</script>`x`\n| new | row |\n\n# @octocat #1 $x$ ![i](http://x)";

SeedRecord hostile_seed() {
  SeedRecord record = packed(SeedStatus::built);
  record.repository = "oci:/tmp/" + kHostile;
  record.system = kHostile;
  record.tag = kHostile;
  record.layers = {layer(kHostile, 1, LayerState::sent)};
  record.notices = {kHostile};
  record.timings = {{kHostile, 1}};
  return record;
}

BuildRecord build_record(BuildMode mode) {
  return {.mode = mode,
          .image = "ghcr.io/octo/app-seed@" + Digest::of("index").to_string(),
          .system = "x86_64-linux",
          .built = {"/nix/store/" + std::string(32, 'a') + "-app.drv"},
          .results = {{.attribute = "packages.x86_64-linux.default",
                       .output = "out",
                       .store_path = "/nix/store/" + std::string(32, 'b') + "-app",
                       .location = "/cache/store/app",
                       .link = "result",
                       .nar_size = 2 << 20}},
          .flake = ".",
          .timings = {{"verify", 0.8}, {"build", 12.2}}};
}

BuildRecord stale() {
  BuildRecord record = build_record(BuildMode::stale);
  for (int i = 0; i < 51; ++i) {
    record.missing.push_back("/nix/store/" + std::string(32, 'c') + "-m" + std::to_string(i));
  }
  return record;
}

BuildRecord seedless() {
  BuildRecord record = build_record(BuildMode::seedless);
  record.reason = "no seed for x86_64-linux under ghcr.io/octo/app-seed";
  record.image.clear();
  record.built.clear();
  return record;
}

BuildRecord hostile_build() {
  BuildRecord record = build_record(BuildMode::seedless);
  record.reason = kHostile;
  record.image = kHostile;
  record.built = {kHostile};
  record.missing = {kHostile};
  record.results[0].attribute = kHostile;
  record.results[0].store_path = kHostile;
  record.timings = {{kHostile, 1}};
  return record;
}

}  // namespace

TEST_CASE("the summary of a seed run says what became of the seed") {
  CHECK(golden("report/seed-built.md", to_markdown(packed(SeedStatus::built))));
  CHECK(golden("report/seed-refreshed.md", to_markdown(refreshed())));
  CHECK(golden("report/seed-aliased.md", to_markdown(aliased())));
  CHECK(golden("report/seed-reused.md", to_markdown(reused())));
}

TEST_CASE("the summary of a build says where it ran and what came out") {
  CHECK(golden("report/build-in-seed.md", to_markdown(build_record(BuildMode::in_seed))));
  CHECK(golden("report/build-stale.md", to_markdown(stale())));
  CHECK(golden("report/build-seedless.md", to_markdown(seedless())));
}

TEST_CASE("hostile names change no table and bring no HTML") {
  const std::string seed = to_markdown(hostile_seed());
  const std::string build = to_markdown(hostile_build());
  CHECK(golden("report/seed-hostile.md", seed));
  CHECK(golden("report/build-hostile.md", build));
  for (const std::string& text : {seed, build}) {
    CHECK_THAT(text, !Catch::Contains("\n| new"));
    CHECK_THAT(text, !Catch::Contains("\n# "));
  }
}

TEST_CASE("the last lines of a run are for people") {
  CHECK(golden("report/seed-refreshed.txt", to_text(refreshed())));
  CHECK(golden("report/seed-reused.txt", to_text(reused())));
  CHECK(golden("report/build-in-seed.txt", to_text(build_record(BuildMode::in_seed))));
  CHECK(golden("report/build-stale.txt", to_text(stale())));
  CHECK(golden("report/build-seedless.txt", to_text(seedless())));
}

TEST_CASE("records are JSON for machines") {
  CHECK(golden("report/seed-refreshed.json", to_json(refreshed())));
  CHECK(golden("report/build-stale.json", to_json(stale())));
}

TEST_CASE("a record with text that is not UTF-8 is still JSON") {
  SeedRecord seed = packed(SeedStatus::built);
  seed.notices = {"caf\xe9"};
  CHECK(nlohmann::json::parse(to_json(seed))["notices"][0] == "caf\xef\xbf\xbd");
  BuildRecord build = seedless();
  build.reason = "\xff";
  CHECK(nlohmann::json::parse(to_json(build))["reason"] == "\xef\xbf\xbd");
}

}  // namespace seed::report
