#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "image/assemble.hpp"

// Only FormatError refuses, and each layer that is planned with is one of the image's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto config =
        seed::image::parse_seed_image_config({reinterpret_cast<const char*>(data), size});
    for (const auto& layer : config.plan) {
      if (!layer.reuse) {
        std::abort();
      }
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
