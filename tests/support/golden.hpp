#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "os/file.hpp"

namespace seed::test {

/// A file below tests/golden.
inline std::filesystem::path golden_path(const std::string& name) {
  return std::filesystem::path(TEST_SOURCE_DIR) / "golden" / name;
}

inline std::string golden(const std::string& name) {
  return os::read_file(golden_path(name), 64 << 20);
}

/// Whether `text` is exactly that file; the first line that differs is printed where it is not. For
/// use in REQUIRE or CHECK. With NIX_SEED_ACCEPT=1 the file becomes `text`, and the answer is still
/// no, so that no run both writes and passes.
bool golden(const std::string& name, std::string_view text);

}  // namespace seed::test
