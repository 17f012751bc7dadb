#include "support/need.hpp"

#include "support/catch.hpp"

namespace seed {
namespace {

TEST_CASE("what a test needs is required by its own name and by all") {
  CHECK(test::required("all", "git"));
  CHECK(test::required("lint,git", "git"));
  CHECK(test::required("lint,all", "git"));
  CHECK_FALSE(test::required("", "git"));
  CHECK_FALSE(test::required("lint", "git"));
  CHECK_FALSE(test::required("gitea,al", "git"));
}

}  // namespace
}  // namespace seed
