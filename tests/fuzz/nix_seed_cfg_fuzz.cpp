#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/seed_cfg.hpp"

// What is read names a registry or none, never an empty one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const seed::nix::SeedCfg cfg = seed::nix::parse_seed_cfg(text);
    if (cfg.registry && cfg.registry->empty()) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
