#pragma once

#include <functional>
#include <optional>

#include "base/bytes.hpp"
#include "sigstore/bundle.hpp"
#include "sigstore/certificate.hpp"
#include "sigstore/keys.hpp"
#include "sigstore/trusted_root.hpp"

namespace seed::sigstore {

/// The kinds of entries that bundles have; the last one is Rekor v2's.
enum class EntryKind { hashedrekord_v1, dsse, intoto, hashedrekord_v2 };

std::optional<EntryKind> kind_of(const LogEntry& entry);

/// What an entry has to be about to say anything of a bundle.
struct SignedContent {
  Bytes signature;
  std::optional<Certificate> certificate;  ///< absent: the signature is by a known key
  PublicKey key;
  const DsseEnvelope* envelope = nullptr;  ///< null: a message signature
  /// The hash of what the signature is over; nothing where that can't be told.
  std::function<std::optional<Bytes>(Hash)> digest;
};

/// Throws IntegrityError unless the entry's body names this signature, this key or certificate and
/// this content, and FormatError where it is malformed. Without this, an entry of somebody else's
/// would do for any bundle (CVE-2022-36056, CVE-2026-22703).
void check_body(const LogEntry& entry, EntryKind kind, const SignedContent& content);

/// Throws IntegrityError unless the signed entry timestamp is by `log`.
void check_promise(const LogEntry& entry, const TrustedLog& log);

/// The root that the entry's checkpoint gives the tree, by `log`. Throws IntegrityError, also where
/// the proof says otherwise, and FormatError.
struct TreeHead {
  std::int64_t size;
  Digest root;
};

TreeHead check_checkpoint(const LogEntry& entry, EntryKind kind, const TrustedLog& log);

/// Throws IntegrityError unless the entry is in the tree.
void check_entry_included(const LogEntry& entry, EntryKind kind, const TreeHead& head);

}  // namespace seed::sigstore
