#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/flake_lock.hpp"

// The canonical form of a lock is a lock, and its own canonical form: the key is stable.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (seed::nix::lock_tag(text).size() != 64) {
    std::abort();
  }
  try {
    const auto lock = seed::nix::parse_flake_lock(text);
    const auto again = seed::nix::parse_flake_lock(lock.canonical);
    if (again.canonical != lock.canonical || lock_key(again) != lock_key(lock) ||
        lock_key(lock).size() != 34) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
