#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/json.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/log_entry.hpp"
#include "sigstore/pem.hpp"

namespace seed::sigstore {
namespace {

using nlohmann::json;

[[noreturn]] void differs(std::string_view what) {
  throw IntegrityError(fmt::format("the log entry is about another {} than the bundle", what));
}

void check_signature(ByteView logged, const SignedContent& content) {
  if (!std::ranges::equal(logged, content.signature)) {
    differs("signature");
  }
}

/// Rekor v1 keeps certificates and keys as PEM.
void check_pem_verifier(const Bytes& logged, const SignedContent& content) {
  const std::string_view pem = text_of(logged);
  const bool same =
      content.certificate
          ? pem_label(pem) == "CERTIFICATE" &&
                parse_pem(pem, "CERTIFICATE") == content.certificate->der()
          : pem_label(pem) == "PUBLIC KEY" && parse_pem(pem, "PUBLIC KEY") == content.key.spki();
  if (!same) {
    differs(content.certificate ? "certificate" : "key");
  }
}

Hash hash_named(const std::string& name) {
  if (name == "sha256" || name == "SHA2_256") {
    return Hash::sha256;
  }
  if (name == "sha384" || name == "SHA2_384") {
    return Hash::sha384;
  }
  if (name == "sha512" || name == "SHA2_512") {
    return Hash::sha512;
  }
  throw FormatError(fmt::format("log entry: the hash '{}' is none that is known", printable(name)));
}

void check_digest(Hash algorithm, const Bytes& logged, const SignedContent& content) {
  const auto digest = content.digest(algorithm);
  if (!digest) {
    throw IntegrityError(
        "the log entry is about a file, and what is known of the artifact does not tell which",
        "give the file itself");
  }
  if (*digest != logged) {
    differs("artifact");
  }
}

Bytes hex_member(const json& object, const char* key) {
  const auto bytes = from_hex(string_member(object, key));
  if (!bytes) {
    throw FormatError(fmt::format("log entry: '{}' is not lower-case hexadecimal", key));
  }
  return *bytes;
}

/// rekor, pkg/types/hashedrekord/v0.0.1
void check_hashedrekord_v1(const json& spec, const SignedContent& content) {
  if (content.envelope != nullptr) {
    differs("kind of content");
  }
  const json& signature = object_member(spec, "signature");
  check_signature(base64_member(signature, "content"), content);
  check_pem_verifier(base64_member(object_member(signature, "publicKey"), "content"), content);
  const json& hash = object_member(object_member(spec, "data"), "hash");
  check_digest(hash_named(string_member(hash, "algorithm")), hex_member(hash, "value"), content);
}

void check_payload_hash(const json& hash, const SignedContent& content) {
  const Hash algorithm = hash_named(string_member(hash, "algorithm"));
  if (hex_member(hash, "value") != sigstore::hash(algorithm, bytes_of(content.envelope->payload))) {
    differs("payload");
  }
}

const json& only_signature(const json& object) {
  const json& signatures = list_member(object, "signatures");
  if (signatures.size() != 1) {
    throw IntegrityError(
        fmt::format("the log entry has {} signatures instead of one", signatures.size()));
  }
  return signatures.front();
}

/// rekor, pkg/types/dsse/v0.0.1. Its envelopeHash is not looked at: it is of the envelope as some
/// client wrote it, white space and all, and says nothing that the payload's hash and the signature
/// do not.
void check_dsse(const json& spec, const SignedContent& content) {
  if (content.envelope == nullptr) {
    differs("kind of content");
  }
  const json& signature = only_signature(spec);
  check_signature(base64_member(signature, "signature"), content);
  check_pem_verifier(base64_member(signature, "verifier"), content);
  check_payload_hash(object_member(spec, "payloadHash"), content);
}

/// rekor, pkg/types/intoto/v0.0.2, where the signature is base64 of its base64.
void check_intoto(const json& spec, const SignedContent& content) {
  if (content.envelope == nullptr) {
    differs("kind of content");
  }
  const json& inner = object_member(spec, "content");
  const json& envelope = object_member(inner, "envelope");
  const json& signature = only_signature(envelope);
  const Bytes once = base64_member(signature, "sig");
  const auto twice = from_base64(text_of(once));
  if (!twice) {
    throw FormatError("log entry: 'sig' is not base64 of base64");
  }
  check_signature(*twice, content);
  check_pem_verifier(base64_member(signature, "publicKey"), content);
  if (string_member(envelope, "payloadType") != content.envelope->payload_type) {
    differs("type of payload");
  }
  check_payload_hash(object_member(inner, "payloadHash"), content);
}

/// The members of the canonical body and no others: it is exactly what the log was told to keep.
void check_members(const json& object, std::initializer_list<std::string_view> names) {
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::find(names, key) == names.end()) {
      throw FormatError(fmt::format("log entry: the member '{}' is unknown", printable(key)));
    }
  }
}

/// sigstore_common.proto, PublicKeyDetails, as rekor-tiles derives it from the key.
bool is_details_of(const std::string& details, const PublicKey& key) {
  switch (key.type()) {
    case KeyType::p256:
      return details == "PKIX_ECDSA_P256_SHA_256";
    case KeyType::p384:
      return details == "PKIX_ECDSA_P384_SHA_384";
    case KeyType::p521:
      return details == "PKIX_ECDSA_P521_SHA_512";
    case KeyType::ed25519:
      return details == "PKIX_ED25519" || details == "PKIX_ED25519_PH";
    case KeyType::rsa:
      return details.starts_with("PKIX_RSA_PKCS1V15_");
  }
  return false;
}

/// rekor-v2-spec §6.1: for an envelope, too, this is the hash of what the key signed.
void check_hashedrekord_v2(const json& spec, const SignedContent& content) {
  check_members(spec, {"hashedRekordV002"});
  const json& record = object_member(spec, "hashedRekordV002");
  check_members(record, {"data", "signature"});
  const json& data = object_member(record, "data");
  check_members(data, {"algorithm", "digest"});
  const json& signature = object_member(record, "signature");
  check_members(signature, {"content", "verifier"});
  const json& verifier = object_member(signature, "verifier");
  const char* kind = content.certificate ? "x509Certificate" : "publicKey";
  check_members(verifier, {"keyDetails", "x509Certificate", "publicKey"});
  check_signature(base64_member(signature, "content"), content);
  if (verifier.size() != 2 || find_member(verifier, kind) == nullptr ||
      base64_member(object_member(verifier, kind), "rawBytes") !=
          (content.certificate ? content.certificate->der() : content.key.spki())) {
    differs(content.certificate ? "certificate" : "key");
  }
  if (!is_details_of(string_member(verifier, "keyDetails"), content.key)) {
    differs("kind of key");
  }
  check_digest(
      hash_named(string_member(data, "algorithm")), base64_member(data, "digest"), content);
}

}  // namespace

void check_body(const LogEntry& entry, EntryKind kind, const SignedContent& content) {
  const json body = parse_json(entry.canonicalized_body, kMaxBundleBytes, "log entry");
  if (string_member(body, "kind") != entry.kind ||
      string_member(body, "apiVersion") != entry.version) {
    throw IntegrityError(fmt::format("the entry is called {}/{}, its body is {}/{}",
                                     printable(entry.kind),
                                     printable(entry.version),
                                     printable(string_member(body, "kind")),
                                     printable(string_member(body, "apiVersion"))));
  }
  const json& spec = object_member(body, "spec");
  switch (kind) {
    case EntryKind::hashedrekord_v1:
      return check_hashedrekord_v1(spec, content);
    case EntryKind::dsse:
      return check_dsse(spec, content);
    case EntryKind::intoto:
      return check_intoto(spec, content);
    case EntryKind::hashedrekord_v2:
      check_members(body, {"apiVersion", "kind", "spec"});
      return check_hashedrekord_v2(spec, content);
  }
  throw Error("an entry kind that does not exist");
}

}  // namespace seed::sigstore
