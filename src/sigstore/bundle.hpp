#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"

namespace seed::sigstore {

// The messages of sigstore/protobuf-specs (sigstore_bundle.proto, sigstore_rekor.proto,
// sigstore_common.proto) as values. `parse_bundle` has checked their form and nothing else: who
// needs to rely on one calls `verify`.

inline constexpr std::string_view kBundleMediaType =
    "application/vnd.dev.sigstore.bundle.v0.3+json";
inline constexpr std::string_view kBundleMediaTypePrefix = "application/vnd.dev.sigstore.bundle";

enum class BundleVersion { v0_1, v0_2, v0_3 };

struct InclusionProof {
  std::int64_t log_index =
      0;  ///< within the tree: not the index of the entry where a log has shards
  std::int64_t tree_size = 0;
  Bytes root_hash;
  std::vector<Bytes> hashes;  ///< from the leaf's sibling up
  std::string checkpoint;     ///< signed note; empty: absent

  bool operator==(const InclusionProof&) const = default;
};

/// TransparencyLogEntry
struct LogEntry {
  std::int64_t log_index = 0;
  Bytes log_id;  ///< keyId
  std::string kind;
  std::string version;
  std::int64_t integrated_time = 0;  ///< seconds; says nothing unless a SET covers it
  Bytes signed_entry_timestamp;      ///< empty: absent
  std::optional<InclusionProof> proof;
  std::string canonicalized_body;

  bool operator==(const LogEntry&) const = default;
};

struct PublicKeyHint {
  std::string hint;

  bool operator==(const PublicKeyHint&) const = default;
};

struct MessageSignature {
  std::string digest_algorithm;  ///< "SHA2_256"; empty: absent
  Bytes digest;
  Bytes signature;

  bool operator==(const MessageSignature&) const = default;
};

struct DsseSignature {
  Bytes signature;
  std::string keyid;

  bool operator==(const DsseSignature&) const = default;
};

struct DsseEnvelope {
  std::string payload;  ///< decoded
  std::string payload_type;
  DsseSignature signature;  ///< exactly one: a bundle has no room for more

  bool operator==(const DsseEnvelope&) const = default;
};

struct Bundle {
  BundleVersion version = BundleVersion::v0_3;
  /// DER, leaf first (v0.3: the leaf alone); or the name of a key that is known elsewhere.
  std::variant<std::vector<Bytes>, PublicKeyHint> material;
  std::vector<LogEntry> log_entries;
  std::vector<Bytes> timestamps;  ///< DER TimeStampResp (RFC 3161)
  std::variant<MessageSignature, DsseEnvelope> content;

  bool operator==(const Bundle&) const = default;
};

/// Throws FormatError: not JSON, a member twice, an unknown member or version, more or less than
/// one material, content or signature, base64 that is not canonical, numbers out of range, too many
/// of anything, and what the version requires of its entries.
Bundle parse_bundle(std::string_view json);

/// The bundles of a file: JSON Lines of them, or the one that it is, however it is laid out.
/// Nothing of them is checked. None where there is but white space.
std::vector<std::string_view> split_bundles(std::string_view text);

/// Proto3 JSON of the bundle's version with nothing but what the messages have, and zeros left out:
/// strict readers take it. One line, members in the order of the messages.
std::string to_json(const Bundle& bundle);

/// One TransparencyLogEntry as Rekor v2 answers with it, nulls and zeros and all.
LogEntry parse_log_entry(std::string_view json);

/// DSSE v1 pre-authentication encoding: what the signature is over.
std::string pae(std::string_view payload_type, std::string_view payload);

}  // namespace seed::sigstore
