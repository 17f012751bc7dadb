#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/digest.hpp"

namespace seed::nix {

/// Longer texts are no seed.json. Real ones are below 1 KiB.
inline constexpr std::size_t kMaxSeedRecordBytes = 64 << 10;

/// The one file of the tree that `seed-self` locks.
inline constexpr const char* kSeedRecordName = "seed.json";

/// What seed.json says: which seed serves which inputs. A hint: the digest is what is verified.
struct SeedRecord {
  std::string key;    ///< lock_key(); empty: a place is made, but there is no seed yet
  std::string lock;   ///< lock_tag() of the lock that it was made for first
  std::string rev;    ///< commit of the same; 40 hex, or empty
  std::string image;  ///< repository, without tag or digest
  std::map<std::string, Digest> systems;  ///< Nix system -> image manifest
  std::int64_t built_at = 0;              ///< seconds since 1970

  bool operator==(const SeedRecord&) const = default;
};

/// Schema 1. Members that it does not name are ignored. Throws FormatError.
SeedRecord parse_seed_record(std::string_view text);

/// The same, and the same bytes for the same record: keys sorted, two spaces, a newline at the end.
std::string print_seed_record(const SeedRecord& record);

/// Nix's hash of a folder that holds this seed.json and nothing else, as flake.lock writes it.
std::string nar_hash_of_record(std::string_view text);

}  // namespace seed::nix
