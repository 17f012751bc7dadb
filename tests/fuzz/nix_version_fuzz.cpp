#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/nix.hpp"

// A version has no negative parts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto version = seed::nix::parse_nix_version(text);
    if (version.major < 0 || version.minor < 0 || version.patch < 0) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
