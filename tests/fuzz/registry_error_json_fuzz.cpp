// Any error body is told in one bounded line without control characters.
#include <cstdint>
#include <cstdlib>

#include "oci/registry_error.hpp"

using namespace seed;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const std::string text = oci::describe_errors(body);
  for (const char c : text) {
    const auto value = static_cast<unsigned char>(c);
    if (value < 0x20 || value == 0x7f) {
      std::abort();
    }
  }
  if (oci::parse_registry_errors(body).size() > 16 || text.size() > 20'000) {
    std::abort();
  }
  return 0;
}
