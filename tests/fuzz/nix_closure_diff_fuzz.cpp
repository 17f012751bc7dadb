#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/closure_diff.hpp"

// A closure does not differ from itself, and differs from none by each of its paths.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    if (!seed::nix::compare_closures(text, text).empty()) {
      std::abort();
    }
    for (const auto& difference : seed::nix::compare_closures(text, "")) {
      if (difference.first.empty() || !difference.second.empty()) {
        std::abort();
      }
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
