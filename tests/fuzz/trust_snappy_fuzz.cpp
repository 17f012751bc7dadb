#include <cstdlib>

#include "base/error.hpp"
#include "trust/snappy.hpp"

/// Only FormatError escapes, and no more than the limit comes out.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::uint64_t kLimit = 1 << 20;
  try {
    const std::string text =
        seed::trust::uncompress_snappy({reinterpret_cast<const char*>(data), size}, kLimit);
    if (text.size() > kLimit) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
    return 0;
  }
  return 0;
}
