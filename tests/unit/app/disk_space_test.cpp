#include "app/disk_space.hpp"

#include "os/file.hpp"
#include "support/catch.hpp"

namespace seed::app {
namespace {

image::PlannedLayer layer(char letter, std::uint64_t nar_size, bool reused = false) {
  const Digest digest = Digest::of("x");
  return {
      .paths = {{nix::StorePath::from_base_name(std::string(32, letter) + "-x"), digest, nar_size}},
      .reuse = reused ? std::optional(image::LayerBlob{digest, digest, 1, "t"}) : std::nullopt};
}

}  // namespace

TEST_CASE("what the store lacks of an earlier seed is what it will have to hold") {
  const os::TempDir temp;
  os::make_dirs(temp.path() / (std::string(32, 'a') + "-x"));
  CHECK(missing_from_store({layer('a', 10), layer('b', 200), layer('c', 3000, true)},
                           temp.path()) == 3200);
  CHECK(missing_from_store({layer('a', 10)}, temp.path()) == 0);
}

TEST_CASE("packing takes no more than the largest new layers that are under way at once") {
  const image::LayerPlan plan{layer('a', 1), layer('b', 20), layer('c', 300), layer('d', 9, true)};
  CHECK(packing_bytes(plan, 2) == 320);
  CHECK(packing_bytes(plan, 9) == 321);
  CHECK(packing_bytes(plan, 0) == 0);
}

TEST_CASE("too little space is said with both numbers, and only where it is too little") {
  CHECK(shortage("packing may take", 3 << 20, "/c", 2 << 20, "move it") ==
        "packing may take 3.0 MiB below /c, and 2.0 MiB are free there: move it");
  CHECK_FALSE(shortage("packing may take", 3, "/c", 3, "move it"));
  CHECK_FALSE(shortage("packing may take", 3, "/c", std::nullopt, "move it"));
  CHECK(free_below("/").value() > 0);
  CHECK_FALSE(free_below("/nonexistent/folder"));
}

}  // namespace seed::app
