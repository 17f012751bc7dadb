#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/seed_self.hpp"

// Moving seed-self changes no key, leads to where it was moved, and done twice is done once.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace nix = seed::nix;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const nix::Pin pin{.revision = "41dd5948d8ff67097cbeab1aef197d28293521dc",
                     .nar_hash = "sha256-W/m/8EyEzrDB7tfyP1f8MCiSUEwNn84ycTxn+qhD7y0=",
                     .last_modified = 1'795'191'000,
                     .revision_count = 2};
  try {
    if (!nix::find_seed_self(text)) {
      return 0;
    }
    const std::string moved = nix::with_seed_self(text, pin);
    const auto found = nix::find_seed_self(moved);
    if (!found || found->revision != pin.revision || nix::with_seed_self(moved, pin) != moved ||
        nix::lock_key(nix::parse_flake_lock(moved)) != nix::lock_key(nix::parse_flake_lock(text))) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
