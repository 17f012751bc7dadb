#include "nix/closure_diff.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::nix {

TEST_CASE("two closures are compared path by path, in the order of the paths") {
  const std::string first =
      "sha256:aa  /nix/store/a-app\nsha256:bb  /nix/store/b-lib\nsha256:cc  /nix/store/c-old\n";
  const std::string second =
      "sha256:aa  /nix/store/a-app\nsha256:b2  /nix/store/b-lib\nsha256:dd  /nix/store/d-new\n";
  CHECK(compare_closures(first, second) ==
        std::vector<ClosureDifference>{{"/nix/store/b-lib", "sha256:bb", "sha256:b2"},
                                       {"/nix/store/c-old", "sha256:cc", ""},
                                       {"/nix/store/d-new", "", "sha256:dd"}});
  CHECK(compare_closures(first, first).empty());
  CHECK(compare_closures("", "").empty());
}

TEST_CASE("what is no closure manifest is refused") {
  for (const char* text : {"sha256:aa  /nix/store/a",
                           "sha256:aa /nix/store/a\n",
                           "md5:aa  /nix/store/a\n",
                           "sha256:aa  a\n",
                           "\n",
                           "sha256:aa  /nix/store/a\nsha256:bb  /nix/store/a\n"}) {
    INFO(text);
    CHECK_THROWS_AS(compare_closures(text, ""), FormatError);
  }
}

}  // namespace seed::nix
