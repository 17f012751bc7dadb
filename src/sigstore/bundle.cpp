#include "sigstore/bundle.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/json.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/proto_json.hpp"

namespace seed::sigstore {
namespace {

using nlohmann::json;

BundleVersion version_of(std::string_view media_type) {
  if (media_type == kBundleMediaType ||
      media_type == "application/vnd.dev.sigstore.bundle+json;version=0.3") {
    return BundleVersion::v0_3;
  }
  if (media_type == "application/vnd.dev.sigstore.bundle+json;version=0.2") {
    return BundleVersion::v0_2;
  }
  if (media_type == "application/vnd.dev.sigstore.bundle+json;version=0.1") {
    return BundleVersion::v0_1;
  }
  throw FormatError(fmt::format("bundle: the media type is '{}'", printable(media_type)),
                    "nix-seed reads Sigstore bundles of the versions 0.1, 0.2 and 0.3");
}

/// A bytes member in a message of its own: {"rawBytes": ...}.
Bytes wrapped_bytes(const json& value, std::string_view name, std::string_view what) {
  ProtoMessage message(value, what);
  Bytes bytes = message.bytes(name);
  message.finish();
  if (bytes.empty()) {
    throw FormatError(fmt::format("{}: '{}' is missing", what, name));
  }
  return bytes;
}

std::string checkpoint_of(const json* value) {
  if (value == nullptr) {
    return {};
  }
  ProtoMessage message(*value, "checkpoint");
  std::string envelope = message.text("envelope");
  message.finish();
  if (envelope.size() > kMaxNoteBytes) {
    throw FormatError(fmt::format(
        "a checkpoint has {} bytes; at most {} are read", envelope.size(), kMaxNoteBytes));
  }
  return envelope;
}

std::optional<InclusionProof> proof_of(const json* value) {
  if (value == nullptr) {
    return std::nullopt;
  }
  ProtoMessage message(*value, "inclusion proof");
  InclusionProof proof{.log_index = message.int64("logIndex"),
                       .tree_size = message.int64("treeSize"),
                       .root_hash = message.bytes("rootHash"),
                       .hashes = {},
                       .checkpoint = checkpoint_of(message.find("checkpoint"))};
  for (const json* hash : message.list("hashes", kMaxProofHashes)) {
    // A list of bytes has no message around its elements.
    proof.hashes.push_back(base64_member({{"hash", *hash}}, "hash"));
  }
  message.finish();
  return proof;
}

LogEntry entry_of(const json& value) {
  ProtoMessage message(value, "log entry");
  LogEntry entry;
  entry.log_index = message.int64("logIndex");
  if (const json* id = message.find("logId")) {
    entry.log_id = wrapped_bytes(*id, "keyId", "log id");
  }
  if (const json* kind = message.find("kindVersion")) {
    ProtoMessage names(*kind, "kindVersion");
    entry.kind = names.text("kind");
    entry.version = names.text("version");
    names.finish();
  }
  entry.integrated_time = message.int64("integratedTime");
  if (const json* promise = message.find("inclusionPromise")) {
    entry.signed_entry_timestamp =
        wrapped_bytes(*promise, "signedEntryTimestamp", "inclusion promise");
  }
  entry.proof = proof_of(message.find("inclusionProof"));
  entry.canonicalized_body = text_of(message.bytes("canonicalizedBody"));
  message.finish();
  for (const auto& [empty, name] :
       {std::pair{entry.log_id.empty(), "logId"},
        std::pair{entry.kind.empty(), "kindVersion.kind"},
        std::pair{entry.version.empty(), "kindVersion.version"},
        std::pair{entry.canonicalized_body.empty(), "canonicalizedBody"}}) {
    if (empty) {
      throw FormatError(fmt::format("log entry: '{}' is missing", name));
    }
  }
  return entry;
}

/// protobuf-specs, sigstore_bundle.proto: what each version wants of its entries.
void check_entry(const LogEntry& entry, BundleVersion version) {
  if (version == BundleVersion::v0_1 && entry.signed_entry_timestamp.empty()) {
    throw FormatError("log entry: a bundle of version 0.1 has an inclusion promise");
  }
  if (version != BundleVersion::v0_1 && !entry.proof) {
    throw FormatError("log entry: the inclusion proof is missing");
  }
  if (entry.proof && entry.proof->checkpoint.empty()) {
    throw FormatError("log entry: the inclusion proof has no checkpoint");
  }
}

std::vector<Bytes> chain_of(const json& value) {
  ProtoMessage message(value, "certificate chain");
  std::vector<Bytes> chain;
  for (const json* certificate : message.list("certificates", kMaxChain)) {
    chain.push_back(wrapped_bytes(*certificate, "rawBytes", "certificate"));
  }
  message.finish();
  if (chain.empty()) {
    throw FormatError("certificate chain: it is empty");
  }
  return chain;
}

PublicKeyHint hint_of(const json& value) {
  ProtoMessage message(value, "publicKey");
  PublicKeyHint hint{message.text("hint")};
  message.finish();
  return hint;
}

void read_material(ProtoMessage& message, Bundle& bundle) {
  const json* certificate = message.find("certificate");
  const json* chain = message.find("x509CertificateChain");
  const json* key = message.find("publicKey");
  if ((certificate != nullptr) + (chain != nullptr) + (key != nullptr) != 1) {
    throw FormatError("bundle: it needs one of certificate, x509CertificateChain and publicKey");
  }
  if (key != nullptr) {
    bundle.material = hint_of(*key);
  } else if (certificate != nullptr && bundle.version == BundleVersion::v0_3) {
    bundle.material = std::vector<Bytes>{wrapped_bytes(*certificate, "rawBytes", "certificate")};
  } else if (chain != nullptr && bundle.version != BundleVersion::v0_3) {
    bundle.material = chain_of(*chain);
  } else {
    throw FormatError(fmt::format("bundle: its version has no {}",
                                  chain != nullptr ? "x509CertificateChain" : "certificate"));
  }
}

void read_timestamps(const json* value, Bundle& bundle) {
  if (value == nullptr) {
    return;
  }
  ProtoMessage message(*value, "timestampVerificationData");
  for (const json* timestamp : message.list("rfc3161Timestamps", kMaxTimestamps)) {
    bundle.timestamps.push_back(wrapped_bytes(*timestamp, "signedTimestamp", "timestamp"));
  }
  message.finish();
}

void read_verification_material(const json* value, Bundle& bundle) {
  if (value == nullptr) {
    throw FormatError("bundle: 'verificationMaterial' is missing");
  }
  ProtoMessage message(*value, "verificationMaterial");
  read_material(message, bundle);
  for (const json* entry : message.list("tlogEntries", kMaxLogEntries)) {
    bundle.log_entries.push_back(entry_of(*entry));
    check_entry(bundle.log_entries.back(), bundle.version);
  }
  read_timestamps(message.find("timestampVerificationData"), bundle);
  message.finish();
}

/// sigstore_common.proto, HashAlgorithm
std::string hash_name(std::string name) {
  constexpr std::array<std::string_view, 6> kNames{
      "", "SHA2_256", "SHA2_384", "SHA2_512", "SHA3_256", "SHA3_384"};
  return name.size() == 1 && name[0] >= '0' && name[0] <= '5'
             ? std::string(kNames[static_cast<std::size_t>(name[0] - '0')])
             : std::move(name);
}

MessageSignature message_signature_of(const json& value) {
  ProtoMessage message(value, "messageSignature");
  MessageSignature content;
  if (const json* digest = message.find("messageDigest")) {
    ProtoMessage inner(*digest, "messageDigest");
    content.digest_algorithm = hash_name(inner.enumeration("algorithm"));
    content.digest = inner.bytes("digest");
    inner.finish();
  }
  content.signature = message.bytes("signature");
  message.finish();
  if (content.signature.empty()) {
    throw FormatError("messageSignature: 'signature' is missing");
  }
  return content;
}

DsseEnvelope envelope_of(const json& value) {
  ProtoMessage message(value, "dsseEnvelope");
  DsseEnvelope envelope;
  envelope.payload = text_of(message.bytes("payload"));
  envelope.payload_type = message.text("payloadType");
  const auto signatures = message.list("signatures", kMaxChain);
  message.finish();
  if (signatures.size() != 1) {
    throw FormatError(
        fmt::format("dsseEnvelope: it has {} signatures instead of one", signatures.size()));
  }
  ProtoMessage signature(*signatures.front(), "DSSE signature");
  envelope.signature.signature = signature.bytes("sig");
  envelope.signature.keyid = signature.text("keyid");
  signature.finish();
  if (envelope.signature.signature.empty()) {
    throw FormatError("DSSE signature: 'sig' is missing");
  }
  return envelope;
}

}  // namespace

Bundle parse_bundle(std::string_view text) {
  const json value = parse_json(text, kMaxBundleBytes, "bundle");
  ProtoMessage message(value, "bundle");
  Bundle bundle;
  bundle.version = version_of(message.text("mediaType"));
  read_verification_material(message.find("verificationMaterial"), bundle);
  const json* signature = message.find("messageSignature");
  const json* envelope = message.find("dsseEnvelope");
  if ((signature != nullptr) == (envelope != nullptr)) {
    throw FormatError("bundle: it needs one of messageSignature and dsseEnvelope");
  }
  if (signature != nullptr) {
    bundle.content = message_signature_of(*signature);
  } else {
    bundle.content = envelope_of(*envelope);
  }
  message.finish();
  return bundle;
}

std::vector<std::string_view> split_bundles(std::string_view text) {
  std::vector<std::string_view> parts;
  for (const std::string_view line : split(text, '\n')) {
    if (!trim(line).empty()) {
      parts.push_back(trim(line));
    }
  }
  const bool lines = std::ranges::all_of(parts, [](std::string_view line) {
    return line.starts_with('{') && line.ends_with('}') && line.size() > 2;
  });
  return lines ? parts : std::vector{text};
}

LogEntry parse_log_entry(std::string_view text) {
  return entry_of(parse_json(text, kMaxBundleBytes, "log entry"));
}

std::string pae(std::string_view payload_type, std::string_view payload) {
  return fmt::format(
      "DSSEv1 {} {} {} {}", payload_type.size(), payload_type, payload.size(), payload);
}

}  // namespace seed::sigstore
