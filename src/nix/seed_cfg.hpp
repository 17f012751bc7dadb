#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "nix/nix.hpp"

namespace seed::nix {

/// A flake's `seedCfg`, as far as this program uses it.
struct SeedCfg {
  std::optional<std::string> registry;

  bool operator==(const SeedCfg&) const = default;
};

/// The value of lib.mkSeedCfg, or a set of the same members written by hand. Throws FormatError
/// naming the member that is wrong, or that neither has.
SeedCfg parse_seed_cfg(std::string_view json);

/// Whether a flake.nix can have a seedCfg: evaluating costs a process, its text only a look.
bool mentions_seed_cfg(std::string_view flake_nix);

/// `seedCfg` of the flake, or `packages.seedCfg`; nothing where it has neither.
std::optional<SeedCfg> read_seed_cfg(Nix& nix, const std::string& flake);

}  // namespace seed::nix
