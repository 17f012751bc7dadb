// What docs/image.md says of the image is what the program puts there.
#include "image/rootfs.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed {
namespace {

std::string image_page() {
  return test::checkout_file("docs/image.md");
}

image::Tools tools() {
  return {.nix = nix::StorePath::from_base_name("00000000000000000000000000000000-nix")};
}

}  // namespace

TEST_CASE("docs/image.md has the nix.conf that a seed has") {
  const std::string conf = image::offline_nix_conf(tools(), "x86_64-linux");
  INFO("docs/image.md must hold:\n" << conf);
  CHECK(image_page().find("```\n" + conf) != std::string::npos);
}

TEST_CASE("docs/image.md names every file that is in each seed") {
  const std::string page = image_page();
  for (const image::RootEntry& entry : image::root_entries(tools(), {}, "x86_64-linux", "", "")) {
    if (entry.kind == image::RootEntry::Kind::file) {
      const std::string name = entry.path.substr(entry.path.rfind('/') + 1);
      INFO(entry.path);
      CHECK((page.find("`/" + entry.path + "`") != std::string::npos ||
             page.find("`" + name + "`") != std::string::npos));
    }
  }
}

}  // namespace seed
