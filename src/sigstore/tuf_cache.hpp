#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "sigstore/tuf.hpp"
#include "sigstore/tuf_metadata.hpp"

namespace seed::sigstore::tuf {

/// A file of metadata as it came, and what it says.
template <class Metadata>
struct Checked {
  std::string text;
  Metadata value;
};

/// What is believed of a repository: only ever what followed from what was believed before.
struct State {
  Root root;
  std::optional<Checked<Timestamp>> timestamp;
  std::optional<Checked<Snapshot>> snapshot;
  std::optional<Checked<Targets>> targets;
  Time checked;
  bool from_cache = false;  ///< the cache had something, whether it held or not
};

/// What follows from Repository::root by the cache. A folder that is not there is an empty cache.
State load_state(const Repository& repository);

/// The bytes that `target` describes, where the cache has them.
std::optional<std::string> load_target(const Repository& repository, const Target& target);

/// Keeps the root that follows the last one.
void save_root(const Repository& repository, const Root& root, std::string_view text);

/// Keeps the rest, all in one: whoever reads sees what belongs together.
void save_state(const Repository& repository, const State& state);

void save_target(const Repository& repository, const Target& target, std::string_view bytes);

}  // namespace seed::sigstore::tuf
