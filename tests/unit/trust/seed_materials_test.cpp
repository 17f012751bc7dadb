#include "trust/seed_materials.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::trust {
namespace {

std::string statement(const std::string& dependencies, std::string_view type = kSeedBuildType) {
  return R"({"predicate":{"buildDefinition":{"buildType":")" + std::string(type) +
         R"(","resolvedDependencies":)" + dependencies + "}}}";
}

}  // namespace

TEST_CASE("a seed's statement says which inputs it was made from") {
  const auto materials = parse_seed_materials(statement(
      R"([{"name":"source","digest":{"gitCommit":"1"}},{"name":"input nixpkgs","digest":{"gitCommit":"2","x":3}},)"
      R"({"name":"input flake-utils","digest":{}},{"digest":{}},7])"));
  REQUIRE(materials.size() == 2);
  CHECK(materials[0].name == "input nixpkgs");
  CHECK(materials[0].digest == std::map<std::string, std::string>{{"gitCommit", "2"}});
  CHECK(materials[1].digest.empty());
}

TEST_CASE("what nix-seed writes is read back") {
  BuildFacts facts{
      .build_type = std::string(kSeedBuildType),
      .materials = {{.name = "input a", .uri = "github:a/a", .digest = {{"gitCommit", "1"}}}}};
  const auto materials = parse_seed_materials(provenance_statement(facts));
  REQUIRE(materials.size() == 1);
  CHECK(materials[0].name == "input a");
}

TEST_CASE("what is no statement about a seed is refused") {
  for (const std::string& text :
       {std::string("{"),
        std::string("[]"),
        std::string("{}"),
        std::string(R"({"predicate":7})"),
        std::string(R"({"predicate":{"buildDefinition":7}})"),
        statement("[]", kResultBuildType),
        statement(R"([{"name":"input a"}])"),
        std::string(R"({"predicate":{"buildDefinition":{"buildType":3}}})")}) {
    INFO(text);
    CHECK_THROWS_AS(parse_seed_materials(text), FormatError);
  }
}

}  // namespace seed::trust
