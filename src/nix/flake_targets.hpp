#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nix/nix.hpp"

namespace seed::nix {

enum class TargetKind {
  package,
  check,
  app,
  dev_shell,
  formatter,
  evaluation,  ///< no output: what evaluating the others builds (import from derivation)
};

/// One output of a flake that a job may want.
struct Target {
  std::string attribute;  ///< packages.x86_64-linux.default
  TargetKind kind = TargetKind::package;
  std::vector<StorePath> derivations;  ///< one; an app's program may come from several or none

  bool operator==(const Target&) const = default;
};

struct SkippedTarget {
  std::string attribute;
  std::string why;
};

struct Targets {
  std::vector<Target> wanted;
  std::vector<SkippedTarget> skipped;  ///< evaluation of these failed
};

/// Every package, check, app, dev shell and formatter of `system`, in this order and by name. An
/// attribute that does not evaluate is skipped and said so, since a flake may hold outputs that do
/// not exist for a system. What lib.mkSeed made is left out.
Targets find_targets(Nix& nix, const std::string& flake, const std::string& system);

/// The named outputs only: `foo` is looked up as Nix does (packages, legacyPackages); a name with a
/// known first part is taken as it is. Throws UsageError for one that the flake does not have.
Targets find_targets(Nix& nix,
                     const std::string& flake,
                     const std::string& system,
                     const std::vector<std::string>& attributes);

}  // namespace seed::nix
