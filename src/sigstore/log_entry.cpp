#include "sigstore/log_entry.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/merkle.hpp"
#include "sigstore/note.hpp"

namespace seed::sigstore {
namespace {

constexpr std::size_t kHintBytes = 4;

/// Rekor v1's origin is "HOST - TREE".
std::string_view v1_name(std::string_view origin) {
  const std::size_t dash = origin.rfind(" - ");
  const std::string_view tree = dash == origin.npos ? "" : origin.substr(dash + 3);
  if (tree.empty() || tree.find_first_not_of("0123456789") != tree.npos) {
    throw IntegrityError(
        fmt::format("the checkpoint's origin '{}' is not a Rekor v1 log's", printable(origin)));
  }
  return origin.substr(0, dash);
}

/// rekor-v2-spec: the origin is the log's URL without scheme.
std::string_view v2_name(const TrustedLog& log) {
  std::string_view name = log.base_url;
  if (const std::size_t scheme = name.find("://"); scheme != name.npos) {
    name.remove_prefix(scheme + 3);
  }
  while (name.ends_with('/')) {
    name.remove_suffix(1);
  }
  return name;
}

}  // namespace

std::optional<EntryKind> kind_of(const LogEntry& entry) {
  if (entry.kind == "hashedrekord" && entry.version == "0.0.1") {
    return EntryKind::hashedrekord_v1;
  }
  if (entry.kind == "hashedrekord" && entry.version == "0.0.2") {
    return EntryKind::hashedrekord_v2;
  }
  if (entry.kind == "dsse" && entry.version == "0.0.1") {
    return EntryKind::dsse;
  }
  if (entry.kind == "intoto" && entry.version == "0.0.2") {
    return EntryKind::intoto;
  }
  return std::nullopt;
}

void check_promise(const LogEntry& entry, const TrustedLog& log) {
  // RFC 8785 of these four members: keys sorted, no white space, integers as they are.
  const nlohmann::json payload{{"body", to_base64(bytes_of(entry.canonicalized_body))},
                               {"integratedTime", entry.integrated_time},
                               {"logID", to_hex(entry.log_id)},
                               {"logIndex", entry.log_index}};
  if (!log.key.verify(Hash::sha256, bytes_of(payload.dump()), entry.signed_entry_timestamp)) {
    throw IntegrityError(fmt::format("the signed entry timestamp of entry {} is not by the log {}",
                                     entry.log_index,
                                     log.base_url));
  }
}

TreeHead check_checkpoint(const LogEntry& entry, EntryKind kind, const TrustedLog& log) {
  const InclusionProof& proof = entry.proof.value();
  const SignedNote note = parse_note(proof.checkpoint);
  const Checkpoint checkpoint = parse_checkpoint(note.text);
  const bool v2 = kind == EntryKind::hashedrekord_v2;
  const std::string_view name = v2 ? v2_name(log) : v1_name(checkpoint.origin);
  if (v2 && checkpoint.origin != name) {
    throw IntegrityError(fmt::format("the checkpoint is of the log '{}', not of '{}'",
                                     printable(checkpoint.origin),
                                     printable(name)));
  }
  if (!is_signed_by(note, name, ByteView(log.log_id).first(kHintBytes), log.key)) {
    throw IntegrityError(fmt::format("the checkpoint is not signed by the log {}", log.base_url));
  }
  // Rekor v2's proof may leave these to the checkpoint, whose word alone counts.
  const bool silent = v2 && proof.root_hash.empty() && proof.tree_size == 0;
  if (!silent && (proof.tree_size != checkpoint.size ||
                  !std::ranges::equal(proof.root_hash, checkpoint.root.raw()))) {
    throw IntegrityError(
        fmt::format("the checkpoint is of {} entries under {}, the proof of {} under {}",
                    checkpoint.size,
                    checkpoint.root.hex(),
                    proof.tree_size,
                    to_hex(proof.root_hash)));
  }
  return {checkpoint.size, checkpoint.root};
}

void check_entry_included(const LogEntry& entry, EntryKind kind, const TreeHead& head) {
  const InclusionProof& proof = entry.proof.value();
  if (kind == EntryKind::hashedrekord_v2 && entry.log_index != proof.log_index) {
    throw IntegrityError(fmt::format(
        "the entry is number {}, its proof is of number {}", entry.log_index, proof.log_index));
  }
  check_inclusion(leaf_hash(bytes_of(entry.canonicalized_body)),
                  proof.log_index,
                  head.size,
                  proof.hashes,
                  head.root);
}

}  // namespace seed::sigstore
