#pragma once

#include <string_view>

namespace seed::test {

/// For what a test needs and does not find: says so and returns false, so that the test can return.
/// The test fails where `required` says that this must be there.
bool missing(std::string_view what, std::string_view why);

/// Whether NIX_SEED_REQUIRE, a list with commas, has `all` or this very name.
bool required(std::string_view list, std::string_view what);

/// Whether a program is in PATH; missing() where it is not.
bool have_program(std::string_view name);

/// Whether this is root; missing() where it is not. `why` completes "needs root ".
bool have_root(std::string_view why);

/// Whether the real Nix can be run over a store of its own, mounted on /nix; else missing().
bool have_private_nix();

}  // namespace seed::test
