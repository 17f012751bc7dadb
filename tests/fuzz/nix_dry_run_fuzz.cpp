#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/nix.hpp"

// A path is in a section only where the text has it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto dry = seed::nix::parse_dry_run(text);
    for (const auto* section : {&dry.will_build, &dry.will_fetch, &dry.unknown}) {
      for (const auto& path : *section) {
        if (text.find(path.to_string()) == std::string_view::npos) {
          std::abort();
        }
      }
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
