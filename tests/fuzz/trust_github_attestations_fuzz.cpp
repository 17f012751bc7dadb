#include <cstdlib>

#include "base/error.hpp"
#include "trust/github_attestations.hpp"

/// Only FormatError escapes, and each row has a bundle or says where it is.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    for (const auto& found :
         seed::trust::parse_github_attestations({reinterpret_cast<const char*>(data), size})) {
      if (found.bundle.empty() && found.bundle_url.empty()) {
        std::abort();
      }
    }
  } catch (const seed::FormatError&) {
    return 0;
  }
  return 0;
}
