#include "support/fake_log.hpp"

#include <bit>
#include <span>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "sigstore/note.hpp"

namespace seed::test {
namespace {

using Leaves = std::span<const Digest>;

Digest hash_of(unsigned char prefix, ByteView a, ByteView b) {
  Bytes bytes{std::byte{prefix}};
  bytes.insert(bytes.end(), a.begin(), a.end());
  bytes.insert(bytes.end(), b.begin(), b.end());
  return Digest::of(bytes);
}

/// The largest power of two smaller than n.
std::size_t split_of(std::size_t n) {
  return std::bit_floor(n - 1);
}

Digest mth(Leaves d) {
  if (d.size() == 1) {
    return d[0];
  }
  const std::size_t k = split_of(d.size());
  return hash_of(1, mth(d.first(k)).raw(), mth(d.subspan(k)).raw());
}

std::vector<Digest> path(std::size_t m, Leaves d) {
  if (d.size() == 1) {
    return {};
  }
  const std::size_t k = split_of(d.size());
  auto hashes = m < k ? path(m, d.first(k)) : path(m - k, d.subspan(k));
  hashes.push_back(m < k ? mth(d.subspan(k)) : mth(d.first(k)));
  return hashes;
}

std::vector<Digest> subproof(std::size_t m, Leaves d, bool whole) {
  if (m == d.size()) {
    return whole ? std::vector<Digest>{} : std::vector<Digest>{mth(d)};
  }
  const std::size_t k = split_of(d.size());
  auto hashes = m <= k ? subproof(m, d.first(k), whole) : subproof(m - k, d.subspan(k), false);
  hashes.push_back(m <= k ? mth(d.subspan(k)) : mth(d.first(k)));
  return hashes;
}

Bytes bytes_of_digest(const Digest& digest) {
  return {digest.raw().begin(), digest.raw().end()};
}

}  // namespace

Digest merkle_root(const std::vector<Digest>& leaves) {
  return mth(leaves);
}

std::vector<Digest> merkle_path(std::size_t index, const std::vector<Digest>& leaves) {
  return path(index, leaves);
}

std::vector<Digest> merkle_proof(std::size_t old_size, const std::vector<Digest>& leaves) {
  return subproof(old_size, leaves, true);
}

FakeLog::FakeLog(Version version, std::string url, sigstore::KeyType type)
    : version_(version), url_(std::move(url)), key_(type) {
  for (const std::string_view other : {"one", "two", "three", "four", "five"}) {
    leaves_.push_back(hash_of(0, bytes_of(other), {}));
  }
}

Bytes FakeLog::log_id() const {
  return bytes_of_digest(sigstore::note_key_id(host(), key_.public_key()));
}

std::string FakeLog::origin() const {
  return version_ == Version::v1 ? host() + " - 1193050959916656506" : host();
}

std::string FakeLog::checkpoint(std::int64_t size, const Digest& root) const {
  return checkpoint(size, root, origin());
}

std::string FakeLog::checkpoint(std::int64_t size,
                                const Digest& root,
                                const std::string& origin) const {
  sigstore::SignedNote note;
  note.text = fmt::format("{}\n{}\n{}\n", origin, size, to_base64(root.raw()));
  const Bytes id = log_id();
  note.signatures.push_back({.name = origin.substr(0, origin.find(" - ")),
                             .hint = Bytes(id.begin(), id.begin() + 4),
                             .signature = key_.sign(bytes_of(note.text))});
  return to_string(note);
}

void FakeLog::sign_promise(sigstore::LogEntry& entry) const {
  const nlohmann::json payload{{"body", to_base64(bytes_of(entry.canonicalized_body))},
                               {"integratedTime", entry.integrated_time},
                               {"logID", to_hex(entry.log_id)},
                               {"logIndex", entry.log_index}};
  entry.signed_entry_timestamp = key_.sign(bytes_of(payload.dump()));
}

sigstore::LogEntry FakeLog::add(const std::string& kind,
                                const std::string& version,
                                const std::string& body,
                                Time time) {
  constexpr std::int64_t kOldShards = 1000;  // in version 1 the index counts all shards
  const std::size_t index = leaves_.size();
  leaves_.push_back(hash_of(0, bytes_of(body), {}));
  const Digest root = mth(leaves_);
  const auto size = static_cast<std::int64_t>(leaves_.size());
  sigstore::InclusionProof proof{.log_index = static_cast<std::int64_t>(index),
                                 .tree_size = size,
                                 .root_hash = bytes_of_digest(root),
                                 .hashes = {},
                                 .checkpoint = checkpoint(size, root)};
  for (const Digest& hash : path(index, leaves_)) {
    proof.hashes.push_back(bytes_of_digest(hash));
  }
  sigstore::LogEntry entry{.log_index = proof.log_index,
                           .log_id = log_id(),
                           .kind = kind,
                           .version = version,
                           .integrated_time = 0,
                           .signed_entry_timestamp = {},
                           .proof = proof,
                           .canonicalized_body = body};
  if (version_ == Version::v1) {
    entry.log_index += kOldShards;
    entry.integrated_time = time.time_since_epoch().count();
    sign_promise(entry);
  }
  return entry;
}

}  // namespace seed::test
