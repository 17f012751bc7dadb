#include "samples.hpp"

#include <fmt/core.h>

namespace seed::report {

using image::LayerReceipt;
using image::LayerState;

const std::string kHostile =
    "</details>|<script>alert(1)</script>`x`\n| new | row |\n\n# @octocat #1 $x$ ![i](http://x) "
    "\x1b[31mred\x1b]0;title\x07 \xff\xe2\x80\xae```";

Digest some_digest(const std::string& name) {
  return Digest::of(name);
}

std::string some_path(const std::string& name) {
  constexpr std::string_view kNix32 = "0123456789abcdfghijklmnpqrsvwxyz";
  std::string hash;
  for (const char digit : Digest::of(name).hex().substr(0, 32)) {
    hash += kNix32[static_cast<std::size_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10) * 2];
  }
  return "/nix/store/" + hash + "-" + name;
}

namespace {

RunContext context() {
  return {.version = "1.0.0",
          .run_url = "https://github.com/acme/app/actions/runs/16123456789/attempts/1",
          .source_url = "https://github.com/acme/app"};
}

LayerReceipt layer(const std::string& title, std::uint64_t size_bytes, LayerState state) {
  return {.blob = {.digest = Digest::of(title),
                   .diff_id = Digest::of(title + " tar"),
                   .size_bytes = size_bytes,
                   .media_type = "application/vnd.oci.image.layer.v1.tar+zstd"},
          .state = state,
          .nar_size = 3 * size_bytes,
          .title = title};
}

BuiltDerivation built(const std::string& name, double start, double seconds, bool failed = false) {
  return {.path = some_path(name + ".drv"), .start = start, .seconds = seconds, .failed = failed};
}

void add_contents(SeedRecord& record) {
  record.paths = 312;
  record.nar_size = 769ULL << 20;
  record.own_derivations = 4;
  record.targets = {"packages.x86_64-linux.default", "devShells.x86_64-linux.default"};
  record.layers = {layer("gcc-14.2.0 +3", 64'300'000, LayerState::sent),
                   layer("python3-3.12.11", 31'457'280, LayerState::sent),
                   layer("glibc-2.42-61", 12'582'912, LayerState::sent),
                   layer("openssl-3.6.1", 7'759'462, LayerState::sent),
                   layer("bash-5.3p3", 1'048'576, LayerState::sent),
                   layer("zlib-1.3.1", 524'288, LayerState::sent),
                   layer("nix-seed", 9'961'472, LayerState::sent),
                   layer("database and configuration", 4096, LayerState::sent)};
  record.timings = {{"look for a seed", 0.62},
                    {"evaluate", 2.04},
                    {"realise inputs", 18.4},
                    {"read the closure", 0.08},
                    {"plan", 0.02},
                    {"self-check", 1.9},
                    {"pack and push", 71.3},
                    {"attest and tag", 0.81}};
  record.provenance = "/home/ci/.cache/nix-seed/provenance/app/seed.intoto.json";
}

void refresh(SeedRecord& record) {
  for (std::size_t i = 0; i < record.layers.size(); ++i) {
    record.layers[i].state = i == 3 || i == 7 ? LayerState::sent : LayerState::reused;
  }
  record.layers[4].state = LayerState::present;
  record.layers[5].state = LayerState::mounted;
  for (int i = 0; i < 20; ++i) {
    record.layers.push_back(layer(fmt::format("perl5.40.0-Small-{}", i), 1000, LayerState::reused));
  }
  record.timings[6].seconds = 3.4;
  record.changed = {{"nixpkgs",
                     "9fab14ad2f0e1d3c4b5a69788776655443322110",
                     "8927cba6112233445566778899aabbccddeeff00"},
                    {"flake-utils", "", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
                    {"old_input", "11707dc2f618dd54ca8739b309ec4fc024de578b", ""},
                    {"treefmt-nix", "aaaaaaaa", "bbbbbbbb"}};
  record.notices = {
      "checks.x86_64-linux.lint is left out: its evaluation throws",
      "the image lacks tar: runners may need them; add them to 'tools' of lib.mkSeed"};
  record.derivations = {built("python3-3.12.11-env", 2.8, 14.0), built("setup-hook", 2.7, 0.3)};
}

}  // namespace

SeedRecord sample_seed(SeedStatus status) {
  SeedRecord record{.status = status,
                    .repository = "ghcr.io/acme/app-seed",
                    .tag = "988904cb03cb6d6c11a1b4f5a8e3c1d2f09182736455463728190a0b0c0d0e0f",
                    .key = "k-b6c43eed0123456789abcdef01234567",
                    .system = "x86_64-linux",
                    .index = some_digest("index"),
                    .manifest = some_digest("manifest"),
                    .closure = some_digest("closure"),
                    .tools = "the flake's seed attribute",
                    .nix = "nix (Nix) 2.34.8",
                    .timings = {{"look for a seed", 0.42}},
                    .run = context()};
  if (status == SeedStatus::built || status == SeedStatus::refreshed) {
    add_contents(record);
  }
  if (status == SeedStatus::refreshed) {
    refresh(record);
  }
  if (status == SeedStatus::aliased) {
    record.repository = "oci:/home/a user/.cache/nix-seed/app";
    record.run = {.version = "1.0.0"};
  }
  if (status == SeedStatus::stale) {
    record.reason =
        "flake.nix is another than the seed was made with, and a pull request from a fork may not "
        "make a new one";
    record.changed = {{"nixpkgs",
                       "9fab14ad2f0e1d3c4b5a69788776655443322110",
                       "8927cba6112233445566778899aabbccddeeff00"}};
  }
  if (status == SeedStatus::missing) {
    record.index.reset();
    record.manifest.reset();
    record.closure.reset();
    record.reason =
        "no seed for this flake.lock, and a pull request from a fork may not make one; a push to "
        "main does";
  }
  return record;
}

BuildRecord sample_build(BuildMode mode) {
  BuildRecord record{
      .mode = mode,
      .image = "ghcr.io/acme/app-seed@" + some_digest("index").to_string(),
      .verified =
          mode == BuildMode::seedless
              ? ""
              : "made by https://github.com/acme/app/.github/workflows/ci.yml@refs/heads/main "
                "(https://token.actions.githubusercontent.com), entry 182334901 of "
                "https://rekor.sigstore.dev, at 2026-08-21T10:11:12Z",
      .system = "x86_64-linux",
      .built = {some_path("app-lib-1.4.2.drv"), some_path("app-1.4.2.drv")},
      .results = {{.attribute = "packages.x86_64-linux.default",
                   .output = "out",
                   .store_path = some_path("app-1.4.2"),
                   .location = "/cache/store/app",
                   .link = "result",
                   .nar_size = 2 << 20},
                  {.attribute = "packages.x86_64-linux.default",
                   .output = "dev",
                   .store_path = some_path("app-1.4.2-dev"),
                   .location = "/cache/store/app-dev",
                   .link = "result-dev",
                   .nar_size = 31'000}},
      .flake = ".",
      .timings = {{"find and enter the seed", 0.8},
                  {"evaluate", 1.7},
                  {"build", 36.6},
                  {"attest", 0.2}},
      .derivations = {built("app-lib-1.4.2", 2.5, 5.4), built("app-1.4.2", 7.9, 31.2)},
      .run = context()};
  if (mode == BuildMode::stale) {
    for (int i = 0; i < 51; ++i) {
      record.missing.push_back(some_path(fmt::format("libmissing-{}", i)));
    }
    record.changed = {{"nixpkgs",
                       "9fab14ad2f0e1d3c4b5a69788776655443322110",
                       "8927cba6112233445566778899aabbccddeeff00"}};
  }
  if (mode == BuildMode::seedless) {
    record.reason =
        "no seed for x86_64-linux: ghcr.io/acme/app-seed has neither the tag 988904cb03cb… nor "
        "k-b6c43eed0123456789abcdef01234567 for it; 'nix-seed seed' makes one";
    record.image.clear();
    record.derivations.clear();
  }
  return record;
}

BuildRecord sample_unevaluated() {
  BuildRecord record = sample_build(BuildMode::stale);
  record.missing.clear();
  record.changed.clear();
  record.reason =
      "the flake does not evaluate offline inside the seed:\n"
      "error: … while fetching the input 'github:acme/secret'\n"
      "\n"
      "       error: unable to download 'https://api.github.com/repos/acme/secret': no network";
  return record;
}

Failure sample_failed_build() {
  Failure failure{
      .command = "build",
      .message = "2 derivations of the flake failed to build: app-docs-1.4.2, app-1.4.2",
      .hint = "the ends of their logs say why; the seed had all that it needed",
      .step = "build",
      .flake = "/home/ci/app",
      .system = "x86_64-linux",
      .image = "ghcr.io/acme/app-seed@" + some_digest("index").to_string(),
      .nix_log = false,
      .derivations = {built("app-lib-1.4.2", 2.5, 5.4),
                      built("app-docs-1.4.2", 2.5, 9.1, true),
                      built("app-1.4.2", 7.9, 31.2, true)},
      .timings = {{"find and enter the seed", 0.8}, {"evaluate", 1.7}, {"build", 36.6}},
      .run = context()};
  FailedDerivation docs{
      .path = some_path("app-docs-1.4.2.drv"), .why = "exit code 2", .log_lines = 312};
  for (int i = 1; i <= 120; ++i) {
    docs.log.push_back(fmt::format("[{:>3}%] rendering page {}.md", i * 100 / 120, i));
  }
  const FailedDerivation app{
      .path = some_path("app-1.4.2.drv"),
      .why = "exit code 1",
      .log = {"building",
              "src/main.c: In function 'main':",
              "\x1b[1msrc/main.c:7:3: \x1b[31merror: \x1b[0m'foo' undeclared (first use in this "
              "function)",
              "    7 |   foo(a[1] | ```b```, \"@acme\");",
              "      |   ^~~",
              "make: *** [Makefile:3: "
              "main.o] Error 1"},
      .log_lines = 6};
  failure.failed = {docs, app};
  return failure;
}

Failure sample_failed_seed() {
  return {.command = "seed",
          .message =
              "pushing layer 3: ghcr.io/acme/app-seed refused the upload: denied: "
              "permission_denied: write_package",
          .hint =
              "give the job 'permissions: packages: write'; if the package exists, add the "
              "repository under its settings, Manage Actions access",
          .exit_code = 5,
          .id = "NS002",
          .step = "pack and push",
          .flake = ".",
          .system = "aarch64-linux",
          .notices = {"checks.aarch64-linux.lint is left out: its evaluation throws"},
          .timings = {{"look for a seed", 0.6}, {"evaluate", 2.0}, {"pack and push", 4.4}},
          .run = context()};
}

SeedRecord hostile_seed() {
  SeedRecord record = sample_seed(SeedStatus::built);
  record.repository = "oci:/tmp/" + kHostile;
  record.system = kHostile;
  record.tag = kHostile;
  record.key = kHostile;
  record.targets = {kHostile};
  record.layers = {layer(kHostile, 1, LayerState::sent)};
  record.notices = {kHostile, kHostile};
  record.reason = kHostile;
  record.changed = {{kHostile, "a-" + kHostile, kHostile}};
  record.timings = {{kHostile, 1}, {kHostile, 2}};
  record.derivations = {{.path = kHostile, .seconds = 2, .failed = true}};
  record.run = {
      .version = kHostile, .run_url = "https://x/) <b>", .source_url = "javascript:alert(1)"};
  return record;
}

BuildRecord hostile_build() {
  BuildRecord record = sample_build(BuildMode::seedless);
  record.reason = kHostile;
  record.image = kHostile;
  record.built = {kHostile};
  record.changed = {{kHostile, kHostile, ""}};
  record.results[0].attribute = kHostile;
  record.results[0].store_path = kHostile;
  record.timings = {{kHostile, 1}, {kHostile, 2}};
  return record;
}

Failure hostile_failure() {
  Failure failure = sample_failed_build();
  failure.command = kHostile;
  failure.message = kHostile;
  failure.hint = kHostile;
  failure.id = kHostile;
  failure.step = kHostile;
  failure.flake = kHostile;
  failure.system = kHostile;
  failure.image = kHostile;
  failure.failed = {
      {.path = kHostile, .why = kHostile, .log = {kHostile, "```"}, .log_lines = 900}};
  failure.derivations = {{.path = kHostile, .seconds = 2, .failed = true}};
  failure.timings = {{kHostile, 1}, {kHostile, 2}};
  return failure;
}

}  // namespace seed::report
