#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "report/otlp.hpp"

// What is followed is written and read back the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto context = seed::report::parse_traceparent(text)) {
    const auto again = seed::report::parse_traceparent(seed::report::to_traceparent(*context));
    if (!again || again->trace_id != context->trace_id || again->parent_id != context->parent_id ||
        again->sampled != context->sampled) {
      std::abort();
    }
  }
  return 0;
}
