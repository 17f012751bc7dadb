#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/digest.hpp"
#include "sigstore/keys.hpp"

// The metadata of The Update Framework 1.0 as values. Reading one says nothing of who wrote it:
// tuf_rules.hpp does.
namespace seed::sigstore::tuf {

struct Signature {
  std::string keyid;
  Bytes bytes;
};

/// What files of every role have.
struct Signed {
  std::string role;  ///< _type: "root", "timestamp", "snapshot" or "targets"
  std::int64_t version = 0;
  Time expires;
  std::string bytes;  ///< what the signatures are over
  std::vector<Signature> signatures;
};

struct Role {
  std::vector<std::string> keyids;
  std::size_t threshold = 0;
};

struct Root {
  Signed file;
  bool consistent_snapshot = false;
  /// By keyid, which is a name and nothing else. Keys of other schemes than ecdsa-sha2-nistp256,
  /// ecdsa-sha2-nistp384 and ed25519 are not here, and so can't count.
  std::map<std::string, PublicKey> keys;
  std::map<std::string, Role> roles;  ///< always has the four
};

struct Hashes {
  std::optional<Digest> sha256;
  std::optional<Bytes> sha512;
};

/// What one file of metadata says of another.
struct FileInfo {
  std::int64_t version = 0;
  std::optional<std::uint64_t> length;
  std::optional<Hashes> hashes;
};

struct Timestamp {
  Signed file;
  FileInfo snapshot;
};

struct Snapshot {
  Signed file;
  std::map<std::string, FileInfo> meta;  ///< by file name; always has targets.json
};

struct Target {
  std::uint64_t length = 0;
  Hashes hashes;  ///< at least one
};

struct Targets {
  Signed file;
  std::map<std::string, Target> targets;  ///< by path; delegations are not followed
};

/// Throw FormatError: not the role's metadata, or more of it than limits.hpp allows.
Root parse_root(std::string_view text);
Timestamp parse_timestamp(std::string_view text);
Snapshot parse_snapshot(std::string_view text);
Targets parse_targets(std::string_view text);

}  // namespace seed::sigstore::tuf
