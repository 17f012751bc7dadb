#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "oci/types.hpp"

// What is read is written and read back the same; only FormatError refuses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto value = seed::oci::parse_manifest({reinterpret_cast<const char*>(data), size});
    if (seed::oci::parse_manifest(seed::oci::to_json(value)) != value) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
