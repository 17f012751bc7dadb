#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nix/flake_targets.hpp"
#include "nix/graph.hpp"
#include "nix/nix.hpp"
#include "nix/seed_config.hpp"

namespace seed::nix {

/// How own derivations were told from the rest.
enum class OwnBy {
  perturbation,  ///< exact: evaluated again with every own file changed
  source,        ///< by their use of the flake's source path, where no perturbed copy evaluates
};

/// What has to be in a seed, before anything is realised.
struct SeedInputs {
  FlakeMetadata metadata;
  Targets targets;
  BuildGraph graph;
  bool imports = false;  ///< evaluating builds derivations (import from derivation)
  OwnBy own_by = OwnBy::perturbation;
  std::set<StorePath> own;  ///< derivations a job rebuilds
  /// A checkout in which the application changed, and what a job may build there: the flake itself
  /// where no changed copy evaluates.
  std::string changed_flake;
  std::filesystem::path changed_folder;  ///< where it is; empty where it is not on this machine
  std::set<StorePath> changed_own;
  Frontier frontier;                     ///< what those need
  std::vector<StorePath> flake_sources;  ///< trees that evaluation reads
  std::optional<SeedConfig> config;
  std::optional<StorePath> config_derivation;  ///< its closure is what the config names
};

struct FlakeArguments {
  std::string flake;  ///< reference without attribute
  std::string system;
  std::vector<std::string> attributes;  ///< empty: all
};

/// Evaluates the flake twice (as it is, and from a perturbed copy below `scratch`) and finds what
/// its own derivations need. A flake of a seed attribute alone has the config, and no targets.
SeedInputs find_seed_inputs(Nix& nix,
                            const FlakeArguments& arguments,
                            const std::filesystem::path& scratch,
                            Progress& progress);

/// Derivations of `graph` that depend on `source`.
std::set<StorePath> dependents_of_source(const BuildGraph& graph, const StorePath& source);

}  // namespace seed::nix
