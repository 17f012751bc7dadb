#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nix/flake_lock.hpp"

namespace seed::nix {

/// The input of a flake in which the flake's own seed is recorded.
inline constexpr const char* kSeedSelfInput = "seed-self";

/// The branch that holds nothing but seed.json, and the input that reads it.
inline constexpr const char* kSeedBranch = "nix-seed";

/// What flake.lock says of the root's input `seed-self`.
struct SeedSelf {
  std::string node;      ///< its name among `nodes`
  std::string type;      ///< github, gitlab or git
  std::string url;       ///< of the repository; for git as it stands, else https://HOST/OWNER/REPO
  std::string ref;       ///< branch, without refs/heads/; empty: the default branch
  std::string revision;  ///< 40 hex, or empty
  std::string nar_hash;  ///< SRI, or empty
  bool counts_revisions = false;  ///< revCount is written
  bool is_flake = false;          ///< not `flake = false`: each update takes its whole lock in
};

/// Nothing where the root has no such input. Throws FormatError, also where it follows another
/// input or has a type that seeds can't be recorded in.
std::optional<SeedSelf> find_seed_self(std::string_view lock_text);

/// Whether the root has the input and takes it as a tree (`flake = false`), so that any folder can
/// stand in for it. No word on whether it could hold a record.
bool locks_plain_seed_self(std::string_view lock_text);

/// What a lock says of one commit of an input.
struct Pin {
  std::string revision;
  std::string nar_hash;
  std::int64_t last_modified = 0;    ///< the commit's time
  std::uint64_t revision_count = 0;  ///< used where the lock counts revisions
};

/// The lock with `seed-self` at `pin`: the bytes that `nix flake update seed-self` writes.
std::string with_seed_self(std::string_view lock_text, const Pin& pin);

/// The line that a flake.nix lacks; `repository` is where its project is.
std::string seed_self_declaration(std::string_view repository);

}  // namespace seed::nix
