#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/digest.hpp"

namespace seed::nix {

/// One entry of `nodes`.
struct LockNode {
  /// An input is another node's name, or a path to follow from the root.
  std::map<std::string, std::variant<std::string, std::vector<std::string>>> inputs;
  std::string nar_hash;   ///< SRI; empty for the root
  std::string type;       ///< github, git, path, tarball ...; empty for the root
  std::string revision;   ///< empty where the type has none
  std::string reference;  ///< what to call it in a message: owner/repo, url or path
};

struct FlakeLock {
  int version = 0;
  std::string root;
  std::map<std::string, LockNode> nodes;
  std::string canonical;  ///< see lock_key()
};

/// Versions 5 to 7. Throws FormatError for text that is not JSON, is truncated, has an unknown
/// version, names a missing node, or whose nodes form a cycle of `inputs`.
FlakeLock parse_flake_lock(std::string_view text);

/// 64 hex: hex(sha256(sha256(bytes))), which is GitHub's hashFiles() of one file, byte for byte.
std::string lock_tag(std::string_view text);

/// `k-` and 32 hex: the hash of the lock without the `seed-self` input and what only it reaches,
/// keys sorted, no white space.
std::string lock_key(const FlakeLock& lock);

}  // namespace seed::nix
