#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "image/plan.hpp"

// What is read is written and read back the same; only FormatError refuses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto plan = seed::image::plan_from_json({reinterpret_cast<const char*>(data), size});
    std::vector<seed::image::LayerBlob> blobs;
    for (const auto& layer : plan) {
      blobs.push_back(layer.reuse.value());
    }
    if (seed::image::plan_from_json(seed::image::plan_to_json(plan, blobs)) != plan) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
