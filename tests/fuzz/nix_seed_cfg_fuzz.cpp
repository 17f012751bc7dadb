#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/seed_cfg.hpp"

// What is read names a registry or none, builders that can each be told from the others, and a
// quorum that they can reach.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const seed::nix::SeedCfg cfg = seed::nix::parse_seed_cfg(text);
    if (cfg.registry && cfg.registry->empty()) {
      std::abort();
    }
    if (cfg.quorum < 1 || cfg.log_quorum < 1 || cfg.log_quorum > cfg.logs.size() ||
        (cfg.trust != seed::nix::TrustLevel::innocent && cfg.quorum > cfg.builders.size())) {
      std::abort();
    }
    for (const auto& [name, builder] : cfg.builders) {
      if (builder.key.empty() && (builder.issuer.empty() || builder.identity.empty())) {
        std::abort();
      }
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
