#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "nix/flake_lock.hpp"
#include "nix/nix.hpp"
#include "nix/seed_config.hpp"

namespace seed::nix {

/// What an image needs beside the flake's own inputs, out of the flake's locked nixpkgs: Nix, a
/// shell, core tools, git, certificates, the loader. The same lock gives the same tools on every
/// machine.
struct NixpkgsTools {
  SeedConfig config;
  std::map<StorePath, std::set<std::string>> wanted;  ///< derivation -> outputs, to be realised
};

/// Whether the flake's root has an input called nixpkgs.
bool has_nixpkgs(const FlakeLock& lock);

/// Writes one small file below `scratch`. Nothing where that input has no packages for `system`.
/// Throws where they do not evaluate.
std::optional<NixpkgsTools> tools_from_nixpkgs(Nix& nix,
                                               const std::string& flake,
                                               const std::string& system,
                                               const std::filesystem::path& scratch);

/// Reads what the evaluation printed. Throws FormatError.
NixpkgsTools parse_nixpkgs_tools(std::string_view json);

}  // namespace seed::nix
