#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/derivation.hpp"

// What is read names only derivations as inputs and store paths as outputs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto derivation = seed::nix::parse_derivation(text);
    for (const auto& [path, outputs] : derivation.input_drvs) {
      if (!path.is_derivation()) {
        std::abort();
      }
    }
    for (const auto& [name, path] : derivation.outputs) {
      if (!path.empty() && seed::nix::StorePath::parse(path).to_string() != path) {
        std::abort();
      }
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
