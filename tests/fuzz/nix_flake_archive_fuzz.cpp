#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string_view>

#include "base/error.hpp"
#include "nix/nix.hpp"

// Every path is there once, in order.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto paths = seed::nix::parse_flake_archive(text);
    if (std::ranges::adjacent_find(paths, std::greater_equal<>()) != paths.end()) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
