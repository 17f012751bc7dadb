#include "app/outputs.hpp"

#include "support/catch.hpp"

namespace seed::app {
namespace {

std::string shown(const std::vector<ci::Output>& outputs) {
  std::string text;
  for (const ci::Output& output : outputs) {
    text += output.name + "=" + output.value + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a seed that is missing has an empty image, so that a job's container is none") {
  const report::SeedRecord record{.status = report::SeedStatus::missing,
                                  .repository = "ghcr.io/acme/app-seed",
                                  .tag = "988904cb",
                                  .key = "k-1",
                                  .system = "x86_64-linux"};
  CHECK(shown(outputs_of(record, {})) ==
        "image=\ntag=988904cb\nkey=k-1\ndigest=\nstatus=missing\nsystem=x86_64-linux\nclosure=\n"
        "bytes_pushed=0\nbytes_reused=0\n");
}

TEST_CASE("a seed's outputs name it by digest, and count its bytes") {
  const Digest digest = Digest::of(std::string_view("x"));
  const report::SeedRecord record{.status = report::SeedStatus::refreshed,
                                  .repository = "ghcr.io/acme/app-seed",
                                  .tag = "988904cb",
                                  .key = "k-1",
                                  .system = "x86_64-linux",
                                  .index = digest,
                                  .manifest = digest,
                                  .closure = digest};
  const std::string hex = digest.to_string();
  CHECK(shown(outputs_of(record, {.pushed = 1, .reused = 2})) ==
        "image=ghcr.io/acme/app-seed@" + hex + "\ntag=988904cb\nkey=k-1\ndigest=" + hex +
            "\nstatus=refreshed\nsystem=x86_64-linux\nclosure=" + hex +
            "\nbytes_pushed=1\nbytes_reused=2\n");
}

TEST_CASE("a build's outputs: its mode in the words of its docs, and results as JSON") {
  report::BuildRecord record{.mode = report::BuildMode::in_seed, .image = "a@sha256:0"};
  record.built = {"/nix/store/1.drv", "/nix/store/2.drv"};
  record.results = {{.attribute = "default", .output = "out", .store_path = "/nix/store/a"},
                    {.attribute = "x\"y", .output = "dev", .store_path = "/nix/store/b"}};
  CHECK(shown(outputs_of(record)) ==
        "mode=seed\nimage=a@sha256:0\n"
        "paths={\"default.out\":\"/nix/store/a\",\"x\\\"y.dev\":\"/nix/store/b\"}\nbuilt=2\n");
  record.mode = report::BuildMode::seedless;
  CHECK(shown(outputs_of(record)).starts_with("mode=seedless\n"));
}

}  // namespace seed::app
