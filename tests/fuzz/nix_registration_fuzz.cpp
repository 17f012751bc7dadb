#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/closure.hpp"

// A closure prints as text that reads as the same closure.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    auto paths = seed::nix::parse_registration(text);
    const auto closure = seed::nix::make_closure(std::move(paths));
    if (seed::nix::parse_registration(seed::nix::registration(closure)) != closure.paths()) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  } catch (const seed::Error&) {
    // make_closure: a path twice, or a reference outside
  }
  return 0;
}
