#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "image/rootfs.hpp"
#include "nix/nix.hpp"
#include "nix/seed_config.hpp"

namespace seed::image {

/// The tools of an image and where they came from.
struct ResolvedTools {
  Tools tools;
  std::vector<nix::StorePath> roots;  ///< store paths that must be in the closure
  std::string origin;                 ///< for people: "the flake's seed attribute"
};

/// From a configuration: the flake's `seed` attribute, or what its nixpkgs has. The paths must be
/// valid in the store by now.
ResolvedTools tools_from_config(const nix::SeedConfig& config, const std::string& origin);

/// Tools of this machine, for flakes that name none: each program that is in the store is taken
/// from there; the others are copied, with the libraries they load, into one store path. The image
/// then runs anywhere, but is only as reproducible as this machine's packages are.
ResolvedTools tools_from_machine(nix::Nix& nix,
                                 const os::Environment& environment,
                                 const std::filesystem::path& scratch);

/// Programs that runners and people expect in a job container and that `tools` lacks.
std::vector<std::string> missing_programs(const Tools& tools);

}  // namespace seed::image
