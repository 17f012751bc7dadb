#pragma once

#include <optional>
#include <string>

#include "app/options.hpp"
#include "app/project.hpp"
#include "app/world.hpp"
#include "nix/nix.hpp"

namespace seed::app {

/// Where seeds are: `--registry`, else the `registry` of the flake's seedCfg, else the default.
std::string registry_for(const World& world, const Options& options, const Project& project);

/// What the flake itself says, for a run in `environment`. Throws UsageError where only a Nix that
/// is not there could tell, and where a login would go to whatever host the flake names.
std::optional<std::string> registry_of_flake(nix::Nix& nix,
                                             const os::Environment& environment,
                                             const Project& project);

}  // namespace seed::app
