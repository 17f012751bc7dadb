#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "sigstore/bundle.hpp"

// What is read is written and read back the same; only FormatError refuses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto bundle = seed::sigstore::parse_bundle({reinterpret_cast<const char*>(data), size});
    if (seed::sigstore::parse_bundle(seed::sigstore::to_json(bundle)) != bundle) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
