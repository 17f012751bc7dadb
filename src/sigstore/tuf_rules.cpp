#include "sigstore/tuf_rules.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "base/text.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::sigstore::tuf {
namespace {

constexpr const char* kHint =
    "the repository is broken, or somebody answers in its name: look at it from another network, "
    "or "
    "name whom to believe with --trusted-root FILE";

std::string name_of(const Signed& file) {
  return fmt::format("{}.json, version {}", file.role, file.version);
}

void check_version(const Signed& file, std::int64_t wanted, std::string_view who) {
  if (file.version != wanted) {
    throw Refused(Rule::version,
                  fmt::format("{} is not version {}, which {}", name_of(file), wanted, who));
  }
}

void check_hashes(const Hashes& hashes, const std::string& what, std::string_view bytes) {
  const auto differs = [&](std::string_view algorithm) {
    throw Refused(Rule::hash,
                  fmt::format("{} does not have the {} that was signed", what, algorithm));
  };
  if (hashes.sha256 && Digest::of(bytes) != *hashes.sha256) {
    differs("SHA-256");
  }
  if (hashes.sha512 && hash(Hash::sha512, bytes_of(bytes)) != *hashes.sha512) {
    differs("SHA-512");
  }
}

void check_length(std::uint64_t length, const std::string& what, std::string_view bytes) {
  if (bytes.size() != length) {
    throw Refused(Rule::length,
                  fmt::format("{} has {} bytes; {} were signed", what, bytes.size(), length));
  }
}

void check_info(const FileInfo& info, const std::string& what, std::string_view bytes) {
  if (info.length) {
    check_length(*info.length, what, bytes);
  }
  if (info.hashes) {
    check_hashes(*info.hashes, what, bytes);
  }
}

/// The keys of a role, as themselves: a key that changed its name has not changed.
std::set<Digest> keys_of(const Root& root, const std::string& role) {
  std::set<Digest> keys;
  for (const std::string& keyid : root.roles.at(role).keyids) {
    if (const auto found = root.keys.find(keyid); found != root.keys.end()) {
      keys.insert(found->second.id());
    }
  }
  return keys;
}

void check_rollback(std::int64_t now, std::int64_t before, const std::string& what) {
  if (now < before) {
    throw Refused(Rule::rollback,
                  fmt::format("{} is version {}; it was {} before", what, now, before));
  }
}

}  // namespace

Refused::Refused(Rule rule, std::string message)
    : IntegrityError(std::move(message), kHint), rule_(rule) {}

void check_signatures(const Root& root, const Signed& file) {
  const Role& role = root.roles.at(file.role);
  std::set<Digest> counted;
  for (const Signature& signature : file.signatures) {
    const auto key = root.keys.find(signature.keyid);
    const bool may_sign = std::ranges::find(role.keyids, signature.keyid) != role.keyids.end();
    if (may_sign && key != root.keys.end() && !counted.contains(key->second.id()) &&
        key->second.verify(bytes_of(file.bytes), signature.bytes)) {
      counted.insert(key->second.id());
    }
  }
  if (counted.size() < role.threshold) {
    throw Refused(
        Rule::signatures,
        fmt::format("{} is signed by {} of the keys that root.json, version {}, names for "
                    "it; {} must sign",
                    name_of(file),
                    counted.size(),
                    root.file.version,
                    role.threshold));
  }
}

void check_unexpired(const Signed& file, Time now) {
  if (now >= file.expires) {
    throw Refused(Rule::expiry,
                  fmt::format("{} expired at {}", name_of(file), to_rfc3339(file.expires)));
  }
}

Root first_root(std::string_view text) {
  Root root = parse_root(text);
  check_signatures(root, root.file);
  return root;
}

Root next_root(const Root& trusted, std::string_view text) {
  Root root = parse_root(text);
  check_signatures(trusted, root.file);
  check_signatures(root, root.file);
  check_version(
      root.file, trusted.file.version + 1, fmt::format("follows version {}", trusted.file.version));
  return root;
}

bool keys_changed(const Root& before, const Root& after, const std::string& role) {
  return keys_of(before, role) != keys_of(after, role);
}

Timestamp next_timestamp(const Root& root,
                         const std::optional<Timestamp>& known,
                         std::string_view text) {
  Timestamp timestamp = parse_timestamp(text);
  check_signatures(root, timestamp.file);
  if (!known) {
    return timestamp;
  }
  check_rollback(timestamp.file.version, known->file.version, "timestamp.json");
  if (timestamp.file.version == known->file.version) {
    return *known;
  }
  check_rollback(timestamp.snapshot.version,
                 known->snapshot.version,
                 "snapshot.json, by what timestamp.json says,");
  return timestamp;
}

Snapshot next_snapshot(const Root& root,
                       const Timestamp& timestamp,
                       const std::optional<Snapshot>& known,
                       std::string_view text) {
  check_info(timestamp.snapshot, "snapshot.json", text);
  Snapshot snapshot = parse_snapshot(text);
  check_signatures(root, snapshot.file);
  check_version(snapshot.file, timestamp.snapshot.version, "timestamp.json names");
  if (known) {
    for (const auto& [name, info] : known->meta) {
      const auto now = snapshot.meta.find(name);
      if (now == snapshot.meta.end()) {
        throw Refused(Rule::rollback,
                      fmt::format("{} does not name {}, which it did before",
                                  name_of(snapshot.file),
                                  printable(name)));
      }
      check_rollback(now->second.version,
                     info.version,
                     fmt::format("{}, by what snapshot.json says,", printable(name)));
    }
  }
  return snapshot;
}

Targets next_targets(const Root& root, const Snapshot& snapshot, std::string_view text) {
  const FileInfo& info = snapshot.meta.at("targets.json");
  check_info(info, "targets.json", text);
  Targets targets = parse_targets(text);
  check_signatures(root, targets.file);
  check_version(targets.file, info.version, "snapshot.json names");
  return targets;
}

const Target& target_named(const Targets& targets, const std::string& path) {
  const auto found = targets.targets.find(path);
  if (found == targets.targets.end()) {
    throw Refused(Rule::missing,
                  fmt::format("{} does not name the target {}", name_of(targets.file), path));
  }
  return found->second;
}

void check_target(const Target& target, const std::string& path, std::string_view bytes) {
  const std::string what = fmt::format("the target {}", path);
  check_length(target.length, what, bytes);
  check_hashes(target.hashes, what, bytes);
}

}  // namespace seed::sigstore::tuf
