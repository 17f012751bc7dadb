#include "support/fake_services.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"

namespace seed::test {
namespace {

using nlohmann::json;
using sigstore::LogEntry;
using sigstore::PublicKey;

http::Response answer_with(int status, const std::string& body, const std::string& type) {
  return {.status = status, .headers = {{"Content-Type", type}}, .body = body};
}

http::Response answer(int status, const json& body) {
  return answer_with(status, body.dump(), "application/json");
}

http::Response refuse(const std::string& why) {
  return answer(400, json{{"code", 3}, {"message", why}, {"details", json::array()}});
}

/// The members of `object` are these and no others, as a strict reader of proto3 JSON wants it.
bool has_exactly(const json& object, std::initializer_list<const char*> names) {
  return object.is_object() && object.size() == names.size() &&
         std::ranges::all_of(names, [&](const char* name) { return object.contains(name); });
}

Bytes raw(const json& text) {
  return from_base64(text.get<std::string>()).value();
}

std::string plain(const json& text) {
  const Bytes bytes = raw(text);
  return std::string(text_of(bytes));
}

/// The key of a certificate, or of a public key, in PEM.
PublicKey verifier_of(const std::string& pem) {
  return pem.find("CERTIFICATE") != pem.npos ? sigstore::Certificate::parse_pem(pem).key()
                                             : PublicKey::parse_pem(pem);
}

json entry_json(const LogEntry& entry) {
  json hashes = json::array();
  for (const Bytes& hash : entry.proof->hashes) {
    hashes.push_back(to_hex(hash));
  }
  return {{"body", to_base64(bytes_of(entry.canonicalized_body))},
          {"integratedTime", entry.integrated_time},
          {"logID", to_hex(entry.log_id)},
          {"logIndex", entry.log_index},
          {"verification",
           {{"signedEntryTimestamp", to_base64(entry.signed_entry_timestamp)},
            {"inclusionProof",
             {{"logIndex", entry.proof->log_index},
              {"treeSize", entry.proof->tree_size},
              {"rootHash", to_hex(entry.proof->root_hash)},
              {"hashes", hashes},
              {"checkpoint", entry.proof->checkpoint}}}}}};
}

/// With zeros and nulls, as rekor-tiles answers.
json tiles_json(const LogEntry& entry) {
  json hashes = json::array();
  for (const Bytes& hash : entry.proof->hashes) {
    hashes.push_back(to_base64(hash));
  }
  return {{"logIndex", std::to_string(entry.log_index)},
          {"logId", {{"keyId", to_base64(entry.log_id)}}},
          {"kindVersion", {{"kind", entry.kind}, {"version", entry.version}}},
          {"integratedTime", "0"},
          {"inclusionPromise", nullptr},
          {"inclusionProof",
           {{"logIndex", std::to_string(entry.proof->log_index)},
            {"rootHash", to_base64(entry.proof->root_hash)},
            {"treeSize", std::to_string(entry.proof->tree_size)},
            {"hashes", hashes},
            {"checkpoint", {{"envelope", entry.proof->checkpoint}}}}},
          {"canonicalizedBody", to_base64(bytes_of(entry.canonicalized_body))}};
}

/// What Rekor v1 keeps of a dsse proposal whose signature is right; nothing where it is not.
std::optional<json> canonical_dsse(const json& spec) {
  const json& content = spec.at("proposedContent");
  const auto text = content.at("envelope").get<std::string>();
  const json envelope = json::parse(text);
  const std::string payload = plain(envelope.at("payload"));
  const json& signature = envelope.at("signatures").at(0);
  const std::string pem = plain(content.at("verifiers").at(0));
  const std::string encoded = sigstore::pae(envelope.at("payloadType").get<std::string>(), payload);
  if (!verifier_of(pem).verify(
          sigstore::Hash::sha256, bytes_of(encoded), raw(signature.at("sig")))) {
    return std::nullopt;
  }
  const auto hashed = [](const std::string& bytes) {
    return json{{"algorithm", "sha256"}, {"value", Digest::of(bytes).hex()}};
  };
  return json{{"envelopeHash", hashed(text)},
              {"payloadHash", hashed(payload)},
              {"signatures",
               json::array({{{"signature", signature.at("sig")},
                             {"verifier", content.at("verifiers").at(0)}}})}};
}

}  // namespace

http::Response FakeServices::send(const http::Request& request) {
  const std::string path = http::Url::parse(request.url).target;
  asked.push_back(path);
  if (before) {
    if (auto instead = before(path)) {
      return *instead;
    }
  }
  try {
    return route(request, path);
  } catch (const json::exception& error) {
    return refuse(error.what());
  }
}

http::Response FakeServices::route(const http::Request& request, const std::string& path) {
  const std::string body = request.body ? read_all(request.body(), 1 << 20) : std::string();
  const bool post = request.method == http::Method::post;
  const auto is = [&](const std::string& url) { return post && request.url == url; };
  if (is(std::string(kFulcio) + "/api/v2/signingCert")) {
    return certificate(request, body);
  }
  if (is(kTsa)) {
    return timestamp(request, body);
  }
  if (is(sigstore_.rekor1.url() + "/api/v1/log/entries")) {
    return rekor1(request, body);
  }
  if (is(sigstore_.rekor2.url() + "/api/v2/log/entries")) {
    return rekor2(request, body);
  }
  if (!post && request.url.starts_with(sigstore_.rekor1.url() + "/api/v1/log/entries/")) {
    return kept(path);
  }
  return answer(404, json{{"code", 5}, {"message", "Not Found"}});
}

http::Response FakeServices::certificate(const http::Request& request, const std::string& body) {
  if (request.headers.get("Content-Type") != "application/json") {
    return answer(415, json{{"message", "unsupported media type"}});
  }
  if (request.headers.get("Authorization") != "Bearer " + token_) {
    return answer(401, json{{"code", 16}, {"message", "There was an error processing the token"}});
  }
  const json asked_for = json::parse(body);
  const json& key_request = asked_for.at("publicKeyRequest");
  if (!has_exactly(asked_for, {"publicKeyRequest"}) ||
      !has_exactly(key_request, {"publicKey", "proofOfPossession"}) ||
      !has_exactly(key_request.at("publicKey"), {"algorithm", "content"})) {
    return refuse("unknown field");
  }
  const PublicKey key =
      PublicKey::parse_pem(key_request.at("publicKey").at("content").get<std::string>());
  if (!key.verify(bytes_of(challenge_), raw(key_request.at("proofOfPossession")))) {
    return refuse("The signature supplied in the request could not be verified");
  }
  const auto issued = sigstore_.certificate(
      {.signer = signer, .key = other_key ? *other_key : TestKey::public_half(key)});
  return answer(200,
                json{{"signedCertificateEmbeddedSct",
                      {{"chain",
                        {{"certificates",
                          json::array({issued.pem(),
                                       sigstore_.intermediate.certificate.pem(),
                                       sigstore_.root.certificate.pem()})}}}}}});
}

http::Response FakeServices::timestamp(const http::Request& request, const std::string& body) {
  if (request.headers.get("Content-Type") != "application/timestamp-query") {
    return answer(415, json{{"message", "unsupported media type"}});
  }
  const Bytes reply =
      sigstore_.tsa.answer_request(bytes_of(body), sigstore_.now + std::chrono::seconds(3));
  return answer_with(201, std::string(text_of(reply)), "application/timestamp-reply");
}

http::Response FakeServices::rekor1(const http::Request& request, const std::string& body) {
  if (request.headers.get("Content-Type") != "application/json") {
    return answer(415, json{{"message", "unsupported media type"}});
  }
  json proposed = json::parse(body);
  if (!has_exactly(proposed, {"apiVersion", "kind", "spec"}) ||
      proposed.at("apiVersion") != "0.0.1") {
    return refuse("unknown field");
  }
  if (proposed.at("kind") == "dsse") {
    auto spec = canonical_dsse(proposed.at("spec"));
    if (!spec) {
      return refuse("could not verify envelope");
    }
    proposed["spec"] = std::move(*spec);
  }
  const std::string canonical = proposed.dump();
  const std::string id = Digest::of(canonical).hex();
  if (entries_.contains(id)) {
    http::Response conflict = answer(
        409,
        json{{"code", 409},
             {"message",
              "an equivalent entry already exists in the transparency log with UUID " + id}});
    conflict.headers.add("Location", "/api/v1/log/entries/" + id);
    return conflict;
  }
  json entry = entry_json(sigstore_.rekor1.add(proposed.at("kind").get<std::string>(),
                                               "0.0.1",
                                               canonical,
                                               sigstore_.now + std::chrono::seconds(5)));
  if (change_entry) {
    change_entry(entry);
  }
  entries_[id] = json{{id, entry}}.dump();
  if (std::exchange(lose_next_entry, false)) {
    throw NetworkError("the answer got lost", {}, 0, true);
  }
  return answer_with(201, entries_[id], "application/json");
}

http::Response FakeServices::kept(const std::string& path) {
  const auto found = entries_.find(path.substr(path.rfind('/') + 1));
  return found == entries_.end() ? answer(404, json{{"code", 404}, {"message", ""}})
                                 : answer_with(200, found->second, "application/json");
}

http::Response FakeServices::rekor2(const http::Request& request, const std::string& body) {
  if (request.headers.get("Content-Type") != "application/json") {
    return answer(415, json{{"message", "unsupported media type"}});
  }
  const json proposed = json::parse(body);
  if (!has_exactly(proposed, {"hashedRekordRequestV002"})) {
    return refuse("invalid type, must be hashedrekord");
  }
  const json& given = proposed.at("hashedRekordRequestV002");
  const json& verifier = given.at("signature").at("verifier");
  const PublicKey key =
      verifier.contains("x509Certificate")
          ? sigstore::Certificate::parse_der(raw(verifier.at("x509Certificate").at("rawBytes")))
                .key()
          : PublicKey::parse_der(raw(verifier.at("publicKey").at("rawBytes")));
  if (verifier.at("keyDetails") != "PKIX_ECDSA_P256_SHA_256" ||
      !key.verify_hashed(sigstore::Hash::sha256,
                         raw(given.at("digest")),
                         raw(given.at("signature").at("content")))) {
    return refuse("invalid signature");
  }
  const std::string canonical =
      json{{"apiVersion", "0.0.2"},
           {"kind", "hashedrekord"},
           {"spec",
            {{"hashedRekordV002",
              {{"data", {{"algorithm", "SHA2_256"}, {"digest", given.at("digest")}}},
               {"signature", given.at("signature")}}}}}}
          .dump();
  if (!bodies_.insert(canonical).second) {
    return answer(409, json{{"code", 6}, {"message", "an equivalent entry already exists"}});
  }
  const json entry = tiles_json(sigstore_.rekor2.add(
      "hashedrekord", "0.0.2", canonical, sigstore_.now + std::chrono::seconds(5)));
  if (std::exchange(lose_next_entry, false)) {
    throw NetworkError("the answer got lost", {}, 0, true);
  }
  return answer(201, entry);
}

}  // namespace seed::test
