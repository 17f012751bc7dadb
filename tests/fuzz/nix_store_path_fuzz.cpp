#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/store_path.hpp"

// A path prints as it was read, in both forms.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto path = seed::nix::StorePath::parse(text);
    if (path.to_string() != text ||
        seed::nix::StorePath::from_base_name(path.base_name()) != path ||
        std::string(path.hash_part()) + "-" + std::string(path.name()) != path.base_name()) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  try {
    if (seed::nix::StorePath::from_base_name(text).base_name() != text) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
