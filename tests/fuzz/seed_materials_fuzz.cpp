#include "base/error.hpp"
#include "trust/seed_materials.hpp"

/// Only FormatError escapes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    seed::trust::parse_seed_materials({reinterpret_cast<const char*>(data), size});
  } catch (const seed::FormatError&) {
    return 0;
  }
  return 0;
}
