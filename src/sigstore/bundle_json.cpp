#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "sigstore/bundle.hpp"

namespace seed::sigstore {
namespace {

using json = nlohmann::ordered_json;

std::string media_type(BundleVersion version) {
  switch (version) {
    case BundleVersion::v0_1:
      return "application/vnd.dev.sigstore.bundle+json;version=0.1";
    case BundleVersion::v0_2:
      return "application/vnd.dev.sigstore.bundle+json;version=0.2";
    case BundleVersion::v0_3:
      break;
  }
  return std::string(kBundleMediaType);
}

/// Proto3 JSON leaves out what is zero or empty, and writes 64 bits as text.
void put(json& object, const char* name, std::int64_t number) {
  if (number != 0) {
    object[name] = std::to_string(number);
  }
}

void put(json& object, const char* name, const Bytes& bytes) {
  if (!bytes.empty()) {
    object[name] = to_base64(bytes);
  }
}

void put(json& object, const char* name, const std::string& text) {
  if (!text.empty()) {
    object[name] = text;
  }
}

json proof_json(const InclusionProof& proof) {
  json object = json::object();
  put(object, "logIndex", proof.log_index);
  put(object, "rootHash", proof.root_hash);
  put(object, "treeSize", proof.tree_size);
  if (!proof.hashes.empty()) {
    json hashes = json::array();
    for (const Bytes& hash : proof.hashes) {
      hashes.push_back(to_base64(hash));
    }
    object["hashes"] = std::move(hashes);
  }
  if (!proof.checkpoint.empty()) {
    object["checkpoint"] = {{"envelope", proof.checkpoint}};
  }
  return object;
}

json entry_json(const LogEntry& entry) {
  json object = json::object();
  put(object, "logIndex", entry.log_index);
  object["logId"] = {{"keyId", to_base64(entry.log_id)}};
  object["kindVersion"] = {{"kind", entry.kind}, {"version", entry.version}};
  put(object, "integratedTime", entry.integrated_time);
  if (!entry.signed_entry_timestamp.empty()) {
    object["inclusionPromise"] = {
        {"signedEntryTimestamp", to_base64(entry.signed_entry_timestamp)}};
  }
  if (entry.proof) {
    object["inclusionProof"] = proof_json(*entry.proof);
  }
  object["canonicalizedBody"] = to_base64(bytes_of(entry.canonicalized_body));
  return object;
}

void put_material(json& object, const Bundle& bundle) {
  if (const auto* key = std::get_if<PublicKeyHint>(&bundle.material)) {
    object["publicKey"] = json::object();
    put(object["publicKey"], "hint", key->hint);
    return;
  }
  const auto& chain = std::get<std::vector<Bytes>>(bundle.material);
  if (bundle.version == BundleVersion::v0_3) {
    object["certificate"] = {{"rawBytes", to_base64(chain.at(0))}};
    return;
  }
  json certificates = json::array();
  for (const Bytes& certificate : chain) {
    certificates.push_back({{"rawBytes", to_base64(certificate)}});
  }
  object["x509CertificateChain"] = {{"certificates", std::move(certificates)}};
}

json material_json(const Bundle& bundle) {
  json object = json::object();
  put_material(object, bundle);
  if (!bundle.log_entries.empty()) {
    json entries = json::array();
    for (const LogEntry& entry : bundle.log_entries) {
      entries.push_back(entry_json(entry));
    }
    object["tlogEntries"] = std::move(entries);
  }
  if (!bundle.timestamps.empty()) {
    json timestamps = json::array();
    for (const Bytes& timestamp : bundle.timestamps) {
      timestamps.push_back({{"signedTimestamp", to_base64(timestamp)}});
    }
    object["timestampVerificationData"] = {{"rfc3161Timestamps", std::move(timestamps)}};
  }
  return object;
}

json content_json(const MessageSignature& content) {
  json object = json::object();
  if (!content.digest_algorithm.empty() || !content.digest.empty()) {
    json digest = json::object();
    put(digest, "algorithm", content.digest_algorithm);
    put(digest, "digest", content.digest);
    object["messageDigest"] = std::move(digest);
  }
  put(object, "signature", content.signature);
  return object;
}

json content_json(const DsseEnvelope& envelope) {
  json signature = json::object();
  put(signature, "sig", envelope.signature.signature);
  put(signature, "keyid", envelope.signature.keyid);
  json object = json::object();
  put(object, "payload", to_base64(bytes_of(envelope.payload)));
  put(object, "payloadType", envelope.payload_type);
  object["signatures"] = json::array({std::move(signature)});
  return object;
}

}  // namespace

std::string to_json(const Bundle& bundle) {
  json object = json::object();
  object["mediaType"] = media_type(bundle.version);
  object["verificationMaterial"] = material_json(bundle);
  const bool message = std::holds_alternative<MessageSignature>(bundle.content);
  object[message ? "messageSignature" : "dsseEnvelope"] =
      std::visit([](const auto& content) { return content_json(content); }, bundle.content);
  try {
    return object.dump();
  } catch (const json::exception&) {
    throw Error("writing a bundle: a text of it is not UTF-8");
  }
}

}  // namespace seed::sigstore
