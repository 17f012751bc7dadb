#include "sigstore/rekor.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/exchange.hpp"
#include "sigstore/json.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/pem.hpp"

namespace seed::sigstore {
namespace {

using nlohmann::json;

constexpr std::string_view kService = "Rekor";
constexpr std::string_view kJson = "application/json";

/// The leaf; nullptr where a key stands in its place.
const Bytes* leaf_of(const Bundle& bundle) {
  const auto* chain = std::get_if<std::vector<Bytes>>(&bundle.material);
  return chain == nullptr ? nullptr : &chain->front();
}

std::string verifier_pem(const LogProposal& proposal) {
  const Bytes* leaf = leaf_of(proposal.bundle);
  return leaf != nullptr ? to_pem(*leaf, "CERTIFICATE") : proposal.key.value().pem();
}

std::string base64_of(std::string_view text) {
  return to_base64(bytes_of(text));
}

/// The envelope as it is submitted; without the keyid, which is empty.
std::string envelope_of(const DsseEnvelope& envelope) {
  return json{{"payload", base64_of(envelope.payload)},
              {"payloadType", envelope.payload_type},
              {"signatures", json::array({{{"sig", to_base64(envelope.signature.signature)}}})}}
      .dump();
}

json hash_value(std::string_view hashed) {
  return {{"algorithm", "sha256"}, {"value", Digest::of(hashed).hex()}};
}

json hashedrekord_v1(const LogProposal& proposal, const MessageSignature& message) {
  return {{"apiVersion", "0.0.1"},
          {"kind", "hashedrekord"},
          {"spec",
           {{"data", {{"hash", {{"algorithm", "sha256"}, {"value", to_hex(message.digest)}}}}},
            {"signature",
             {{"content", to_base64(message.signature)},
              {"publicKey", {{"content", base64_of(verifier_pem(proposal))}}}}}}}};
}

json dsse_v1(json spec) {
  return {{"apiVersion", "0.0.1"}, {"kind", "dsse"}, {"spec", std::move(spec)}};
}

/// What the signature is over, hashed, and the signature.
std::pair<Bytes, Bytes> signed_v2(const Bundle& bundle) {
  if (const auto* message = std::get_if<MessageSignature>(&bundle.content)) {
    return {message->digest, message->signature};
  }
  const auto& envelope = std::get<DsseEnvelope>(bundle.content);
  const std::string encoded = pae(envelope.payload_type, envelope.payload);
  return {hash(Hash::sha256, bytes_of(encoded)), envelope.signature.signature};
}

json verifier_v2(const LogProposal& proposal) {
  const Bytes* leaf = leaf_of(proposal.bundle);
  json verifier{{"keyDetails", "PKIX_ECDSA_P256_SHA_256"}};
  if (leaf != nullptr) {
    verifier["x509Certificate"] = {{"rawBytes", to_base64(*leaf)}};
  } else {
    verifier["publicKey"] = {{"rawBytes", to_base64(proposal.key.value().spki())}};
  }
  return verifier;
}

Bytes hex_member(const json& object, const char* key) {
  auto bytes = from_hex(string_member(object, key));
  if (!bytes || bytes->size() != Digest::of(std::string_view()).raw().size()) {
    throw FormatError(fmt::format("'{}' is not 64 lower-case hex digits", key));
  }
  return std::move(*bytes);
}

InclusionProof proof_of(const json& proof) {
  InclusionProof read{.log_index = integer_member(proof, "logIndex"),
                      .tree_size = integer_member(proof, "treeSize"),
                      .root_hash = hex_member(proof, "rootHash"),
                      .checkpoint = string_member(proof, "checkpoint")};
  const json* hashes = find_member(proof, "hashes");
  if (hashes != nullptr && (!hashes->is_array() || hashes->size() > kMaxProofHashes)) {
    throw FormatError("the proof's hashes are no list, or too many");
  }
  for (std::size_t i = 0; hashes != nullptr && i < hashes->size(); ++i) {
    read.hashes.push_back(hex_member({{"hash", (*hashes)[i]}}, "hash"));
  }
  return read;
}

void check_body(std::string_view url, const LogEntry& entry, const std::string& expected) {
  if (entry.canonicalized_body != expected) {
    throw IntegrityError(fmt::format("Rekor at {} has an entry about something else under the "
                                     "identifier of ours",
                                     http::redact_url(url)),
                         "sign again; if it happens twice, the log is wrong");
  }
}

bool is_entry_id(std::string_view text) {
  constexpr std::size_t kLeafHash = 64;
  constexpr std::size_t kWithTree = 80;
  return (text.size() == kLeafHash || text.size() == kWithTree) && from_hex(text).has_value();
}

}  // namespace

std::string rekor_v1_request(const LogProposal& proposal) {
  if (const auto* message = std::get_if<MessageSignature>(&proposal.bundle.content)) {
    return hashedrekord_v1(proposal, *message).dump();
  }
  const auto& envelope = std::get<DsseEnvelope>(proposal.bundle.content);
  return dsse_v1({{"proposedContent",
                   {{"envelope", envelope_of(envelope)},
                    {"verifiers", json::array({base64_of(verifier_pem(proposal))})}}}})
      .dump();
}

std::string rekor_v1_body(const LogProposal& proposal) {
  if (const auto* message = std::get_if<MessageSignature>(&proposal.bundle.content)) {
    return hashedrekord_v1(proposal, *message).dump();
  }
  const auto& envelope = std::get<DsseEnvelope>(proposal.bundle.content);
  return dsse_v1({{"envelopeHash", hash_value(envelope_of(envelope))},
                  {"payloadHash", hash_value(envelope.payload)},
                  {"signatures",
                   json::array({{{"signature", to_base64(envelope.signature.signature)},
                                 {"verifier", base64_of(verifier_pem(proposal))}}})}})
      .dump();
}

std::string rekor_v2_request(const LogProposal& proposal) {
  const auto [digest, signature] = signed_v2(proposal.bundle);
  return json{
      {"hashedRekordRequestV002",
       {{"digest", to_base64(digest)},
        {"signature", {{"content", to_base64(signature)}, {"verifier", verifier_v2(proposal)}}}}}}
      .dump();
}

std::string rekor_v2_body(const LogProposal& proposal) {
  const auto [digest, signature] = signed_v2(proposal.bundle);
  return json{{"apiVersion", "0.0.2"},
              {"kind", "hashedrekord"},
              {"spec",
               {{"hashedRekordV002",
                 {{"data", {{"algorithm", "SHA2_256"}, {"digest", to_base64(digest)}}},
                  {"signature",
                   {{"content", to_base64(signature)}, {"verifier", verifier_v2(proposal)}}}}}}}}
      .dump();
}

LogEntry parse_rekor_v1_entry(std::string_view json_text) {
  const json reply = parse_json(json_text, kMaxReplyBytes, "Rekor's reply");
  if (reply.size() != 1) {
    throw FormatError(fmt::format("Rekor's reply has {} entries, not one", reply.size()));
  }
  const json& found = reply.front();
  const json& verification = object_member(found, "verification");
  const Bytes raw_body = base64_member(found, "body");
  LogEntry entry{.log_index = integer_member(found, "logIndex"),
                 .log_id = hex_member(found, "logID"),
                 .integrated_time = integer_member(found, "integratedTime"),
                 .signed_entry_timestamp = base64_member(verification, "signedEntryTimestamp"),
                 .proof = proof_of(object_member(verification, "inclusionProof")),
                 .canonicalized_body = std::string(text_of(raw_body))};
  const json body = parse_json(entry.canonicalized_body, kMaxReplyBytes, "the entry's body");
  entry.kind = string_member(body, "kind");
  entry.version = string_member(body, "apiVersion");
  return entry;
}

std::optional<std::string> existing_entry(const http::Response& conflict) {
  const std::string location = conflict.headers.get("Location").value_or("");
  const std::string_view last = std::string_view(location).substr(location.rfind('/') + 1);
  if (is_entry_id(last)) {
    return std::string(last);
  }
  for (const std::string_view quoted : split(conflict.body, '"')) {
    const std::string_view word = quoted.substr(quoted.rfind(' ') + 1);
    if (is_entry_id(word)) {
      return std::string(word);
    }
  }
  return std::nullopt;
}

LogEntry log_with_rekor_v1(http::Transport& transport,
                           std::string_view base_url,
                           const LogProposal& proposal) {
  const std::string url = url_below(base_url, "api/v1/log/entries");
  http::Request request = post_request(url, kJson, rekor_v1_request(proposal));
  request.headers.set("Accept", std::string(kJson));
  http::Response response = transport.send(request);
  constexpr int kConflict = 409;
  if (response.status == kConflict) {
    const auto id = existing_entry(response);
    if (!id) {
      throw refusal(kService, url, response);
    }
    response = transport.send({.url = url_below(url, *id),
                               .headers = {{"Accept", std::string(kJson)}},
                               .max_response_bytes = kMaxReplyBytes});
    if (response.status != 200) {
      throw refusal(kService, url, response);
    }
  } else if (response.status != 201) {
    throw refusal(kService, url, response);
  }
  check_content_type(kService, url, response, kJson);
  LogEntry entry = parse_rekor_v1_entry(response.body);
  check_body(url, entry, rekor_v1_body(proposal));
  return entry;
}

std::optional<LogEntry> log_with_rekor_v2(http::Transport& transport,
                                          std::string_view base_url,
                                          const LogProposal& proposal) {
  const std::string url = url_below(base_url, "api/v2/log/entries");
  const http::Response response =
      transport.send(post_request(url, kJson, rekor_v2_request(proposal)));
  if (response.status == 409) {
    return std::nullopt;
  }
  if (response.status != 201) {
    NetworkError error = refusal(kService, url, response);
    throw NetworkError(
        error.message(),
        response.status == 405 ? "this log takes no more entries; get a newer signing config" : "",
        response.status);
  }
  check_content_type(kService, url, response, kJson);
  LogEntry entry = parse_log_entry(response.body);
  check_body(url, entry, rekor_v2_body(proposal));
  return entry;
}

}  // namespace seed::sigstore
