#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "os/file.hpp"

namespace seed::test {

/// A file of the checkout, by its path from the top. Compiled once, so that where a checkout stands
/// reaches one object alone and compilers' caches serve all of them.
std::filesystem::path checkout_path(const std::string& name);

/// A file of the checkout, read.
inline std::string checkout_file(const std::string& name) {
  return os::read_file(checkout_path(name), 1 << 20);
}

/// A file below tests/golden.
inline std::filesystem::path golden_path(const std::string& name) {
  return checkout_path("tests/golden/" + name);
}

inline std::string golden(const std::string& name) {
  return os::read_file(golden_path(name), 64 << 20);
}

/// Whether `text` is exactly that file; the first line that differs is printed where it is not. For
/// use in REQUIRE or CHECK. With NIX_SEED_ACCEPT=1 the file becomes `text`, and the answer is still
/// no, so that no run both writes and passes.
bool golden(const std::string& name, std::string_view text);

}  // namespace seed::test
