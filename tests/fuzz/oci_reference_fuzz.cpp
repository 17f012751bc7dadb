#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "oci/reference.hpp"

// What is read prints as text that reads as the same reference; only FormatError refuses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto reference = seed::oci::Reference::parse({reinterpret_cast<const char*>(data), size});
    const std::string text = reference.to_string();
    const auto again = seed::oci::Reference::parse(text);
    if (again.to_string() != text || again.layout_path() != reference.layout_path() ||
        again.host() != reference.host() || again.name() != reference.name() ||
        again.tag() != reference.tag() || again.digest() != reference.digest() ||
        seed::oci::Reference::parse(reference.repository()).repository() !=
            reference.repository()) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
