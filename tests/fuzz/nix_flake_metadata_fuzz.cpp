#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/nix.hpp"

// What is read has a reference.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    if (seed::nix::parse_flake_metadata(text).reference.empty()) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
