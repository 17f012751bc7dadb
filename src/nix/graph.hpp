#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>

#include "nix/derivation.hpp"

namespace seed::nix {

/// Derivations and everything they are built from, by path. Closed: every input derivation is in
/// it.
using BuildGraph = std::map<StorePath, Derivation>;

/// Reads the `.drv` files of `roots` and of all they need. `read` gives the text of one; it throws
/// where there is none.
BuildGraph read_graph(std::span<const StorePath> roots,
                      const std::function<std::string(const StorePath&)>& read);

/// Reads `.drv` files from a store directory.
BuildGraph read_graph(std::span<const StorePath> roots,
                      const std::filesystem::path& store_dir = kStoreDir);

/// Every path that some derivation of `graph` takes as a source.
std::set<StorePath> sources_of(const BuildGraph& graph);

/// What changes with the flake's own source (DESIGN §2, "own derivations"): the derivations of
/// `base` that are not in `perturbed`, the graph of the same targets evaluated from a checkout in
/// which every file of the flake's own was changed.
std::set<StorePath> own_derivations(const BuildGraph& base, const BuildGraph& perturbed);

/// What building a set of derivations needs from outside the set.
struct Frontier {
  std::map<StorePath, std::set<std::string>> outputs;  ///< derivation -> outputs it must provide
  std::set<StorePath> sources;

  bool operator==(const Frontier&) const = default;
};

/// The inputs of `builds` that are not in `own`, and those of their sources that `keep` allows.
Frontier frontier_of(const BuildGraph& graph,
                     const std::set<StorePath>& builds,
                     const std::set<StorePath>& own,
                     const std::function<bool(const StorePath&)>& keep);

/// The store paths of the frontier's outputs. Throws Error where one is not known before it is
/// built (content-addressed derivations).
std::vector<StorePath> output_paths(const BuildGraph& graph, const Frontier& frontier);

}  // namespace seed::nix
