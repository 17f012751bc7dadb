#pragma once

#include <functional>
#include <map>
#include <vector>

#include "nix/derivation.hpp"

namespace seed::nix {

/// What a dry run inside a seed says of it.
struct Staleness {
  std::vector<StorePath> own;      ///< derivations that a job builds, as it should
  std::vector<StorePath> missing;  ///< output paths that the seed should have held

  bool stale() const { return !missing.empty(); }
};

/// Sorts the derivations that would be built. One is the flake's own when it depends on a source
/// that the seed does not hold (`in_seed` says which it does): the flake's tree, or a part of it.
/// The rest would have to be fetched or built from fetched things, but only where one of them is a
/// fetch; where none is, all can be built offline and the seed serves.
Staleness judge(const std::map<StorePath, Derivation>& to_build,
                const std::function<bool(const StorePath&)>& in_seed);

}  // namespace seed::nix
