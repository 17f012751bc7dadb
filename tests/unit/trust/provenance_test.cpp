#include "trust/provenance.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::trust {
namespace {

Time at(std::int64_t seconds) {
  return Time(std::chrono::seconds(seconds));
}

BuildFacts facts() {
  return {.build_type = std::string(kSeedBuildType),
          .subjects = {{"ghcr.io/octo/app-seed", Digest::of("index")}},
          .external = {{"flake", "github:octo/app"}, {"system", "x86_64-linux"}},
          .targets = {"packages.x86_64-linux.default"},
          .internal = {{"runner", "hosted"}},
          .nix_settings = {{"sandbox", "true"}},
          .materials = {{.name = "input nixpkgs",
                         .uri = "github:NixOS/nixpkgs",
                         .digest = {{"narSha256", std::string(64, 'a')},
                                    {"gitCommit", std::string(40, 'b')}}},
                        {.name = "input local", .uri = "", .digest = {}}},
          .byproducts = {{"closure", Digest::of("closure")}},
          .builder = {.id = "https://github.com/octo/app/.github/workflows/ci.yml@refs/heads/main",
                      .version = {{"nix", "2.34.8"}, {"nix-seed", "0.1.0"}}},
          .invocation_id = "https://github.com/octo/app/actions/runs/1/attempts/1",
          .started = at(1767225600),
          .finished = at(1767225661)};
}

}  // namespace

TEST_CASE("a statement is in-toto v1 with an SLSA v1 predicate") {
  CHECK(test::golden("trust/provenance.json", provenance_statement(facts())));
}

TEST_CASE("a statement leaves out what is unknown and stays whole") {
  const BuildFacts nothing{.build_type = std::string(kResultBuildType), .builder = {.id = "local"}};
  CHECK(
      provenance_statement(nothing) ==
      R"({"_type":"https://in-toto.io/Statement/v1","predicate":{"buildDefinition":{)"
      R"("buildType":"https://github.com/0compute/nix-seed/blob/main/docs/provenance.md#build-v1",)"
      R"("externalParameters":{"targets":[]},"internalParameters":{"nixSettings":{}},)"
      R"("resolvedDependencies":[]},"runDetails":{"builder":{"id":"local","version":{}},)"
      R"("byproducts":[],"metadata":{}}},"predicateType":"https://slsa.dev/provenance/v1",)"
      R"("subject":[]})");
}

TEST_CASE("a statement never holds text that is not UTF-8") {
  BuildFacts bad = facts();
  bad.targets = {"caf\xe9"};
  CHECK_THROWS_WITH(provenance_statement(bad),
                    "a name or a value of the provenance is not UTF-8 text");
}

TEST_CASE("materials are the inputs of flake.lock with what it fixes of them") {
  nix::FlakeLock lock;
  lock.root = "root";
  lock.nodes["root"] = {};
  lock.nodes["nixpkgs"] = {.inputs = {},
                           // printf '' | sha256sum, in base64 and in hex
                           .nar_hash = "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
                           .type = "github",
                           .revision = "0123",
                           .reference = "NixOS/nixpkgs"};
  lock.nodes["odd"] = {.inputs = {},
                       .nar_hash = "sha512-x",
                       .type = "path",
                       .revision = {},
                       .reference = "/srv/odd"};
  const std::vector<Material> materials = materials_of(lock);
  REQUIRE(materials.size() == 2);
  CHECK(materials[0].name == "input nixpkgs");
  CHECK(materials[0].uri == "github:NixOS/nixpkgs");
  CHECK(materials[0].digest ==
        std::map<std::string, std::string>{
            {"gitCommit", "0123"},
            {"narSha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}});
  CHECK(materials[1].uri == "path:/srv/odd");
  CHECK(materials[1].digest.empty());
}

TEST_CASE("a material's uri is a reference that a flake may have it by") {
  nix::FlakeLock lock;
  lock.root = "root";
  lock.nodes["root"] = {};
  lock.nodes["a"] = {.inputs = {},
                     .nar_hash = {},
                     .type = "git",
                     .revision = {},
                     .reference = "https://example.org/a.git"};
  lock.nodes["b"] = {.inputs = {},
                     .nar_hash = {},
                     .type = "tarball",
                     .revision = {},
                     .reference = "https://example.org/b.tar.gz"};
  lock.nodes["c"] = {
      .inputs = {}, .nar_hash = {}, .type = "indirect", .revision = {}, .reference = "nixpkgs"};
  lock.nodes["d"] = {.inputs = {}, .nar_hash = {}, .type = "path", .revision = {}, .reference = {}};
  std::vector<std::string> uris;
  for (const Material& material : materials_of(lock)) {
    uris.push_back(material.uri);
  }
  CHECK(uris ==
        std::vector<std::string>{
            "git+https://example.org/a.git", "https://example.org/b.tar.gz", "flake:nixpkgs", ""});
}

}  // namespace seed::trust
