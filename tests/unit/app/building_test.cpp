#include "app/building.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::app {
namespace {

std::string named(const std::string& image) {
  static const std::vector<OptionSpec> specs{{"image", "REF", ""}};
  return named_image(Options::parse("build", specs, {}, {{"NIX_SEED_IMAGE", image}}));
}

}  // namespace

TEST_CASE("a container is the image that it was started from where that is named by digest") {
  const std::string digest = "@sha256:" + std::string(64, 'a');
  CHECK(named("ghcr.io/acme/app-seed" + digest) == "ghcr.io/acme/app-seed" + digest);
  CHECK(named("ghcr.io/acme/app-seed:v1" + digest) == "ghcr.io/acme/app-seed" + digest);
  CHECK(named("ghcr.io/acme/app-seed:v1").empty());
  CHECK(named("oci:/srv/seeds" + digest).empty());
  CHECK(named("").empty());
  CHECK_THROWS_AS(named("ghcr.io/Acme/app" + digest), Error);
}

}  // namespace seed::app
