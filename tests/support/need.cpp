#include "support/need.hpp"

#include <algorithm>
#include <string>

#include <unistd.h>

#include "base/text.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"

namespace seed::test {

bool required(std::string_view list, std::string_view what) {
  const auto names = split(list, ',');
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return name == "all" || name == what;
  });
}

bool missing(std::string_view what, std::string_view why) {
  const auto list = os::get(os::current_environment(), "NIX_SEED_REQUIRE");
  if (list && required(*list, what)) {
    FAIL_CHECK(why << ", and NIX_SEED_REQUIRE is " << *list);
  } else {
    WARN("skipped: " << why);
  }
  return false;
}

bool have_program(std::string_view name) {
  return os::find_program(os::current_environment(), std::string(name)).has_value() ||
         missing(name, std::string(name) + " is not in PATH");
}

bool have_root(std::string_view why) {
  return ::geteuid() == 0 || missing("root", "needs root " + std::string(why));
}

bool have_private_nix() {
  return have_root("for a private /nix") && have_program("nix") && have_program("nix-store") &&
         (os::fs::is_directory("/nix") ||
          missing("nix", "there is no folder /nix to mount a private store on"));
}

}  // namespace seed::test
