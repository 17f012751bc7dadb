#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/project.hpp"
#include "app/world.hpp"
#include "image/publish.hpp"
#include "image/tools.hpp"
#include "nix/seed_inputs.hpp"

namespace seed::app {

inline constexpr unsigned kMaxLayers = 96;
inline constexpr unsigned kMaxWorkers = 64;

/// What a seed of a project holds, found and realised in the local store.
struct Contents {
  nix::SeedInputs inputs;
  image::ResolvedTools tools;
  nix::Closure closure;
  nix::NixVersion nix;
  std::vector<std::string> notices;
};

/// Evaluates, realises and reads the closure. Nix may fetch and build here, as it is configured.
Contents find_contents(const World& world,
                       const Project& project,
                       nix::Nix& nix,
                       const std::string& system,
                       const std::filesystem::path& scratch,
                       Stopwatch& stopwatch);

/// Everything that is wrong with the options of `seed` and `plan` is said before any work is done.
void check_options(const World& world, const Options& options, const std::string& system);

/// The earlier seed to plan against: `--previous`, or what the project's own tags name.
std::optional<image::FoundSeed> find_previous(oci::Repository& repository,
                                              const Options& options,
                                              const Project& project,
                                              const std::string& system);

/// The layers of `contents`, planned against `previous`.
image::LayerPlan plan_contents(const Contents& contents,
                               oci::Repository& repository,
                               const std::optional<image::FoundSeed>& previous,
                               image::Compression compression,
                               const Options& options);

image::Compression compression_of(const Options& options);

/// Names that decide what a seed holds, hashed: a job whose fingerprint a seed was made for need
/// not evaluate. Covers the system, the attributes asked for, and every file whose name says that
/// it describes inputs (*.nix, locks, manifests of package managers).
std::string fingerprint_of(const std::filesystem::path& source,
                           const Project& project,
                           const std::string& system,
                           const Options& options);

}  // namespace seed::app
