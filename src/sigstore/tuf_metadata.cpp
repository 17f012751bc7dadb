#include "sigstore/tuf_metadata.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/canonical_json.hpp"
#include "sigstore/json.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::sigstore::tuf {
namespace {

using nlohmann::json;

constexpr std::size_t kSha512Bytes = 64;
constexpr const char* kRoles[] = {"root", "timestamp", "snapshot", "targets"};

std::int64_t version_member(const json& object) {
  const std::int64_t version = integer_member(object, "version");
  if (version < 1) {
    throw FormatError("'version' is 0; the first is 1");
  }
  return version;
}

/// An empty signature stands for one that is still to come (tuf-on-ci writes them).
std::vector<Signature> parse_signatures(const json& file) {
  std::vector<Signature> signatures;
  for (const json& value : list_member(file, "signatures")) {
    const std::string& hex = string_member(value, "sig");
    auto bytes = from_hex(hex);
    if (!bytes) {
      throw FormatError(fmt::format("signature '{}' is not hexadecimal", printable(hex, 20)));
    }
    if (!bytes->empty()) {
      signatures.push_back({.keyid = string_member(value, "keyid"), .bytes = std::move(*bytes)});
    }
  }
  return signatures;
}

/// Signed::bytes and the rest, and `signed` itself by the way.
Signed parse_signed(const json& file, const char* role) {
  const json& body = object_member(file, "signed");
  if (const std::string& type = string_member(body, "_type"); type != role) {
    throw FormatError(fmt::format("'_type' is '{}', not '{}'", printable(type), role));
  }
  if (const std::string& spec = string_member(body, "spec_version");
      spec != "1" && !spec.starts_with("1.")) {
    throw FormatError(fmt::format("'spec_version' is '{}', not 1", printable(spec)),
                      "use a nix-seed that knows this version of TUF");
  }
  return {.role = role,
          .version = version_member(body),
          .expires = parse_rfc3339(string_member(body, "expires")),
          .bytes = canonical_json(body),
          .signatures = parse_signatures(file)};
}

/// What `read` makes of the file's `signed`.
template <class Read>
auto parse_file(std::string_view text, std::uint64_t limit_bytes, const char* role, Read&& read) {
  return while_doing(fmt::format("reading {}.json", role), [&] {
    const json file = parse_json(text, limit_bytes, "the file");
    Signed signed_part = parse_signed(file, role);
    return read(std::move(signed_part), file["signed"]);
  });
}

PublicKey ed25519_key(std::string_view hex) {
  // SubjectPublicKeyInfo of Ed25519 (RFC 8410 §4) up to its 32 bytes.
  auto spki = from_hex("302a300506032b6570032100" + std::string(hex));
  if (!spki) {
    throw FormatError("an Ed25519 key is not hexadecimal");
  }
  return PublicKey::parse_der(*spki);
}

/// Nothing for a key that can't be used here.
std::optional<PublicKey> parse_key(const json& value) {
  const std::string& type = string_member(value, "keytype");
  const std::string& scheme = string_member(value, "scheme");
  const std::string& text = string_member(object_member(value, "keyval"), "public");
  const bool ecdsa = type == "ecdsa" || type == scheme;
  try {
    if (type == "ed25519" && scheme == "ed25519") {
      return ed25519_key(text);
    }
    if (ecdsa && (scheme == "ecdsa-sha2-nistp256" || scheme == "ecdsa-sha2-nistp384")) {
      PublicKey key = PublicKey::parse_pem(text);
      const KeyType wanted = scheme.ends_with("256") ? KeyType::p256 : KeyType::p384;
      return key.type() == wanted ? std::optional(std::move(key)) : std::nullopt;
    }
  } catch (const FormatError&) {
    // The first roots of Sigstore name their keys in a form nobody reads any more.
  }
  return std::nullopt;
}

Role parse_role(const json& value) {
  Role role;
  for (const json& keyid : list_member(value, "keyids")) {
    if (!keyid.is_string()) {
      throw FormatError("'keyids' has what is not a text");
    }
    role.keyids.push_back(keyid.get<std::string>());
  }
  const std::int64_t threshold = integer_member(value, "threshold");
  // A threshold of none would let anybody in.
  if (threshold < 1 || threshold > static_cast<std::int64_t>(role.keyids.size())) {
    throw FormatError(fmt::format("'threshold' is {}, of {} keys", threshold, role.keyids.size()));
  }
  role.threshold = static_cast<std::size_t>(threshold);
  return role;
}

Hashes parse_hashes(const json& object) {
  const json& value = object_member(object, "hashes");
  Hashes hashes;
  if (find_member(value, "sha256") != nullptr) {
    hashes.sha256 = Digest::from_hex(string_member(value, "sha256"));
  }
  if (find_member(value, "sha512") != nullptr) {
    hashes.sha512 = from_hex(string_member(value, "sha512"));
    if (!hashes.sha512 || hashes.sha512->size() != kSha512Bytes) {
      throw FormatError("'sha512' is not 128 hexadecimal digits");
    }
  }
  if (!hashes.sha256 && !hashes.sha512) {
    throw FormatError("'hashes' has neither sha256 nor sha512");
  }
  return hashes;
}

FileInfo parse_file_info(const json& value) {
  FileInfo info{.version = version_member(value)};
  if (find_member(value, "length") != nullptr) {
    info.length = static_cast<std::uint64_t>(integer_member(value, "length"));
  }
  if (find_member(value, "hashes") != nullptr) {
    info.hashes = parse_hashes(value);
  }
  return info;
}

std::map<std::string, FileInfo> parse_meta(const json& body, const char* needed) {
  std::map<std::string, FileInfo> meta;
  for (const auto& [name, value] : object_member(body, "meta").items()) {
    meta.emplace(name, while_doing(fmt::format("reading '{}'", printable(name)), [&] {
                   return parse_file_info(value);
                 }));
  }
  if (!meta.contains(needed)) {
    throw FormatError(fmt::format("'meta' does not name {}", needed));
  }
  return meta;
}

}  // namespace

Root parse_root(std::string_view text) {
  return parse_file(text, kMaxTufRootBytes, "root", [](Signed file, const json& body) {
    Root root{.file = std::move(file)};
    const json& consistent = member(body, "consistent_snapshot");
    if (!consistent.is_boolean()) {
      throw FormatError("'consistent_snapshot' is neither true nor false");
    }
    root.consistent_snapshot = consistent.get<bool>();
    for (const auto& [keyid, value] : object_member(body, "keys").items()) {
      if (auto key = parse_key(value)) {
        root.keys.emplace(keyid, std::move(*key));
      }
    }
    const json& roles = object_member(body, "roles");
    for (const char* name : kRoles) {
      root.roles.emplace(name, while_doing(fmt::format("reading the role {}", name), [&] {
                           return parse_role(object_member(roles, name));
                         }));
    }
    return root;
  });
}

Timestamp parse_timestamp(std::string_view text) {
  return parse_file(text, kMaxTufTimestampBytes, "timestamp", [](Signed file, const json& body) {
    auto meta = parse_meta(body, "snapshot.json");
    return Timestamp{.file = std::move(file), .snapshot = meta.at("snapshot.json")};
  });
}

Snapshot parse_snapshot(std::string_view text) {
  return parse_file(text, kMaxTufSnapshotBytes, "snapshot", [](Signed file, const json& body) {
    return Snapshot{.file = std::move(file), .meta = parse_meta(body, "targets.json")};
  });
}

Targets parse_targets(std::string_view text) {
  return parse_file(text, kMaxTufTargetsBytes, "targets", [](Signed file, const json& body) {
    Targets targets{.file = std::move(file)};
    for (const auto& [path, value] : object_member(body, "targets").items()) {
      targets.targets.emplace(
          path, while_doing(fmt::format("reading '{}'", printable(path)), [&] {
            return Target{.length = static_cast<std::uint64_t>(integer_member(value, "length")),
                          .hashes = parse_hashes(value)};
          }));
    }
    return targets;
  });
}

}  // namespace seed::sigstore::tuf
