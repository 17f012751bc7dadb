#include "app/changed_inputs.hpp"

#include "support/catch.hpp"

namespace seed::app {

TEST_CASE("inputs are compared by revision, and by hash where they have none") {
  const std::vector<trust::Material> before{
      {.name = "source", .uri = "", .digest = {{"gitCommit", "0"}}},
      {.name = "input nixpkgs", .uri = "", .digest = {{"gitCommit", "1"}, {"narSha256", "x"}}},
      {.name = "input same", .uri = "", .digest = {{"gitCommit", "3"}}},
      {.name = "input gone", .uri = "", .digest = {{"narSha256", "4"}}}};
  const std::vector<trust::Material> after{
      {.name = "source", .uri = "", .digest = {{"gitCommit", "9"}}},
      {.name = "input nixpkgs", .uri = "", .digest = {{"gitCommit", "2"}, {"narSha256", "y"}}},
      {.name = "input same", .uri = "", .digest = {{"gitCommit", "3"}}},
      {.name = "input tarball", .uri = "", .digest = {{"narSha256", "5"}}}};
  const auto changed = compare_inputs(before, after);
  REQUIRE(changed.size() == 3);
  CHECK(changed[0].name == "nixpkgs");
  CHECK(changed[0].before == "1");
  CHECK(changed[0].after == "2");
  CHECK(changed[1].name == "tarball");
  CHECK(changed[1].before.empty());
  CHECK(changed[1].after == "5");
  CHECK(changed[2].name == "gone");
  CHECK(changed[2].after.empty());
  CHECK(compare_inputs(before, before).empty());
}

}  // namespace seed::app
