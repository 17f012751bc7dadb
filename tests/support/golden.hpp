#pragma once

#include <filesystem>
#include <string>

#include "os/file.hpp"

namespace seed::test {

/// A file below tests/golden.
inline std::filesystem::path golden_path(const std::string& name) {
  return std::filesystem::path(TEST_SOURCE_DIR) / "golden" / name;
}

inline std::string golden(const std::string& name) {
  return os::read_file(golden_path(name), 64 << 20);
}

}  // namespace seed::test
