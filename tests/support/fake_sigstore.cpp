#include "support/fake_sigstore.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using sigstore::Bundle;
using sigstore::Certificate;
using sigstore::DsseEnvelope;
using sigstore::KeyType;
using sigstore::MessageSignature;

constexpr std::chrono::hours kYear{24 * 365};

Issuer authority(const std::string& name,
                 const std::string& constraints,
                 const std::string& usage,
                 Time now,
                 const Issuer* above) {
  TestKey key(KeyType::p384);
  CertificateRequest request{.key = key,
                             .common_name = name,
                             .from = now - kYear,
                             .to = now + kYear,
                             .extensions = {{"basicConstraints", constraints},
                                            {"keyUsage", "critical,keyCertSign,cRLSign"},
                                            {"subjectKeyIdentifier", "hash"}}};
  if (!usage.empty()) {
    request.extensions.emplace_back("extendedKeyUsage", usage);
  }
  return {issue(request, above), key};
}

void put(Bytes& out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0;) {
    out.push_back(static_cast<std::byte>(value >> (8 * i) & 255));
  }
}

void put(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

json range(Time from, const std::optional<Time>& to) {
  json value{{"start", sigstore::to_rfc3339(from)}};
  if (to) {
    value["end"] = sigstore::to_rfc3339(*to);
  }
  return value;
}

json log_json(const FakeLog& log) {
  json value{{"baseUrl", log.url()},
             {"hashAlgorithm", "SHA2_256"},
             {"publicKey",
              {{"rawBytes", to_base64(log.key().public_key().spki())},
               {"keyDetails",
                log.key().public_key().type() == KeyType::ed25519 ? "PKIX_ED25519"
                                                                  : "PKIX_ECDSA_P256_SHA_256"},
               {"validFor", range(log.trusted_from, log.trusted_to)}}},
             {"logId", {{"keyId", to_base64(log.log_id())}}}};
  if (!log.operator_name.empty()) {
    value["operator"] = log.operator_name;
  }
  return value;
}

json authority_json(const std::string& uri,
                    const std::string& operator_name,
                    const std::vector<Certificate>& chain,
                    Time from,
                    const std::optional<Time>& to) {
  json certificates = json::array();
  for (const Certificate& certificate : chain) {
    certificates.push_back({{"rawBytes", to_base64(certificate.der())}});
  }
  json value{
      {"uri", uri}, {"certChain", {{"certificates", certificates}}}, {"validFor", range(from, to)}};
  if (!operator_name.empty()) {
    value["operator"] = operator_name;
  }
  return value;
}

/// The member's text as .8 and above have it.
void put_extension(std::vector<std::pair<std::string, std::string>>& extensions,
                   int number,
                   const std::string& value) {
  if (!value.empty()) {
    extensions.emplace_back(fmt::format("1.3.6.1.4.1.57264.1.{}", number),
                            "ASN1:UTF8String:" + value);
  }
}

std::vector<std::pair<std::string, std::string>> extensions_of(const sigstore::Signer& signer) {
  std::vector<std::pair<std::string, std::string>> extensions{
      {"keyUsage", "critical,digitalSignature"},
      {"extendedKeyUsage", "codeSigning"},
      {"subjectKeyIdentifier", "hash"},
      {"authorityKeyIdentifier", "keyid"},
      {"subjectAltName",
       (signer.subject.find('@') < signer.subject.find('/') ? "critical,email:" : "critical,URI:") +
           signer.subject},
      {"1.3.6.1.4.1.57264.1.1", der_extension(bytes_of(signer.issuer))}};
  put_extension(extensions, 8, signer.issuer);
  put_extension(extensions, 9, signer.build_signer_uri);
  put_extension(extensions, 11, signer.runner_environment);
  put_extension(extensions, 12, signer.source_repository_uri);
  put_extension(extensions, 13, signer.source_digest);
  put_extension(extensions, 14, signer.source_ref);
  put_extension(extensions, 15, signer.source_repository_id);
  put_extension(extensions, 17, signer.source_owner_id);
  put_extension(extensions, 20, signer.build_trigger);
  return extensions;
}

json sha256_json(std::string_view text) {
  return {{"algorithm", "sha256"}, {"value", Digest::of(text).hex()}};
}

/// What is logged, as the makers of the four kinds of bodies need it.
struct Logged {
  const DsseEnvelope* envelope;  ///< null: a message signature
  std::string text;              ///< what is signed
  std::string signature;         ///< base64
  std::string verifier_pem;      ///< base64
  Bytes verifier_der;
};

Logged logged_of(const Order& order, const Bundle& bundle) {
  const auto* envelope = std::get_if<DsseEnvelope>(&bundle.content);
  Logged logged{.envelope = envelope,
                .text = envelope != nullptr
                            ? sigstore::pae(envelope->payload_type, envelope->payload)
                            : order.artifact,
                .signature = to_base64(envelope != nullptr
                                           ? envelope->signature.signature
                                           : std::get<MessageSignature>(bundle.content).signature),
                .verifier_pem = "",
                .verifier_der = {}};
  if (const auto* chain = std::get_if<std::vector<Bytes>>(&bundle.material)) {
    logged.verifier_der = chain->front();
    logged.verifier_pem = to_base64(bytes_of(Certificate::parse_der(chain->front()).pem()));
  } else {
    logged.verifier_der = order.key.public_key().spki();
    logged.verifier_pem = to_base64(bytes_of(order.key.public_key().pem()));
  }
  return logged;
}

json dsse_spec(const Logged& logged) {
  return {{"envelopeHash", sha256_json("as the client wrote it")},
          {"payloadHash", sha256_json(logged.envelope->payload)},
          {"signatures",
           json::array({{{"signature", logged.signature}, {"verifier", logged.verifier_pem}}})}};
}

json hashedrekord_spec(const Logged& logged) {
  return {{"data", {{"hash", sha256_json(logged.text)}}},
          {"signature",
           {{"content", logged.signature}, {"publicKey", {{"content", logged.verifier_pem}}}}}};
}

json intoto_spec(const Logged& logged) {
  return {{"content",
           {{"envelope",
             {{"payloadType", logged.envelope->payload_type},
              {"signatures",
               json::array({{{"sig", to_base64(bytes_of(logged.signature))},
                             {"publicKey", logged.verifier_pem}}})}}},
            {"hash", sha256_json("as the client wrote it")},
            {"payloadHash", sha256_json(logged.envelope->payload)}}}};
}

json rekor2_spec(const Logged& logged, bool managed_key) {
  json verifier{{"keyDetails", "PKIX_ECDSA_P256_SHA_256"}};
  verifier[managed_key ? "publicKey" : "x509Certificate"] = {
      {"rawBytes", to_base64(logged.verifier_der)}};
  return {
      {"hashedRekordV002",
       {{"data", {{"algorithm", "SHA2_256"}, {"digest", to_base64(Digest::of(logged.text).raw())}}},
        {"signature", {{"content", logged.signature}, {"verifier", verifier}}}}}};
}

json body_of(EntryForm form, const Logged& logged, bool managed_key) {
  const auto body = [](const char* kind, const char* version, json spec) {
    return json{{"apiVersion", version}, {"kind", kind}, {"spec", std::move(spec)}};
  };
  switch (form) {
    case EntryForm::dsse:
      return body("dsse", "0.0.1", dsse_spec(logged));
    case EntryForm::intoto:
      return body("intoto", "0.0.2", intoto_spec(logged));
    case EntryForm::rekor2:
      return body("hashedrekord", "0.0.2", rekor2_spec(logged, managed_key));
    case EntryForm::hashedrekord:
      break;
  }
  return body("hashedrekord", "0.0.1", hashedrekord_spec(logged));
}

}  // namespace

FakeSigstore::FakeSigstore(Time time)
    : now(time),
      root(authority("root", "critical,CA:TRUE,pathlen:1", "", now, nullptr)),
      intermediate(
          authority("intermediate", "critical,CA:TRUE,pathlen:0", "codeSigning", now, &root)),
      ca_trusted_from(now - kYear),
      ct(FakeLog::Version::v1, "https://ct.sigstore.test", KeyType::p256),
      rekor1(FakeLog::Version::v1, "https://rekor.sigstore.test", KeyType::p256),
      rekor2(FakeLog::Version::v2, "https://log2026.rekor.other.test", KeyType::ed25519),
      tsa("https://tsa.sigstore.test/api/v1/timestamp", now - kYear, now + kYear) {
  for (FakeLog* log : {&ct, &rekor1, &rekor2}) {
    log->trusted_from = now - kYear;
  }
}

Bytes FakeSigstore::scts(ByteView tbs, Time time) const {
  Bytes body;
  put(body, 0, 2);
  const auto ms = static_cast<std::uint64_t>(time.time_since_epoch().count()) * 1000;
  put(body, ms, 8);
  put(body, 1, 2);
  put(body, intermediate.certificate.spki_digest().raw());
  put(body, tbs.size(), 3);
  put(body, tbs);
  put(body, sct_extensions.size(), 2);
  put(body, sct_extensions);
  const Bytes signature = ct.key().sign(body);
  Bytes sct{std::byte{0}};
  put(sct, ct.log_id());
  put(sct, ms, 8);
  put(sct, sct_extensions.size(), 2);
  put(sct, sct_extensions);
  put(sct, 0x0403, 2);
  put(sct, signature.size(), 2);
  put(sct, signature);
  Bytes list{std::byte{4}};  // OCTET STRING
  if (sct.size() + 4 >= 0x80) {
    put(list, 0x81, 1);
  }
  put(list, sct.size() + 4, 1);
  put(list, sct.size() + 2, 2);
  put(list, sct.size(), 2);
  put(list, sct);
  return list;
}

Certificate FakeSigstore::certificate(const Order& order) const {
  CertificateRequest request{.key = order.key,
                             .common_name = "",
                             .from = now,
                             .to = now + 10min,
                             .extensions = extensions_of(order.signer)};
  request.extensions.insert(
      request.extensions.end(), order.more_extensions.begin(), order.more_extensions.end());
  if (order.change_certificate) {
    order.change_certificate(request);
  }
  const Issuer issuer{intermediate.certificate, rogue_.value_or(intermediate.key)};
  return issue(request, &issuer, [&](ByteView tbs) {
    return with_scts ? scts(promised_tbs ? ByteView(*promised_tbs) : tbs, now) : Bytes();
  });
}

void FakeSigstore::reissue_intermediate(const std::string& usage, Time to) {
  const CertificateRequest request{
      .key = intermediate.key,
      .common_name = "intermediate",
      .from = intermediate.certificate.not_before(),
      .to = to,
      .extensions = {{"basicConstraints", "critical,CA:TRUE,pathlen:0"},
                     {"keyUsage", "critical,keyCertSign,cRLSign"},
                     {"subjectKeyIdentifier", "hash"},
                     {"extendedKeyUsage", usage}}};
  intermediate.certificate = issue(request, &root);
}

void FakeSigstore::swap_signer(const FakeSigstore& other) {
  rogue_ = other.intermediate.key;
}

sigstore::LogEntry FakeSigstore::log(EntryForm form, const Order& order, const Bundle& bundle) {
  json body = body_of(form, logged_of(order, bundle), order.managed_key);
  // The names of the kind stay, so that a test can change the body alone.
  const std::string kind = body["kind"];
  const std::string version = body["apiVersion"];
  if (order.change_body) {
    order.change_body(body);
  }
  FakeLog& log = form == EntryForm::rekor2 ? rekor2 : rekor1;
  return log.add(kind, version, body.dump(), now + order.logged_after);
}

Bundle FakeSigstore::bundle(const Order& order) {
  Bundle made;
  made.version = order.version;
  if (order.managed_key) {
    made.material = sigstore::PublicKeyHint{to_base64(order.key.public_key().id().raw())};
  } else {
    made.material = std::vector<Bytes>{certificate(order).der()};
  }
  const std::string text =
      order.statement ? sigstore::pae(order.payload_type, *order.statement) : order.artifact;
  const Bytes signature = order.sign ? order.sign(bytes_of(text)) : order.key.sign(bytes_of(text));
  if (order.statement) {
    made.content = DsseEnvelope{.payload = *order.statement,
                                .payload_type = order.payload_type,
                                .signature = {.signature = signature, .keyid = ""}};
  } else {
    const Bytes digest = sigstore::hash(sigstore::Hash::sha256, bytes_of(order.artifact));
    made.content =
        MessageSignature{.digest_algorithm = "SHA2_256", .digest = digest, .signature = signature};
  }
  for (const EntryForm form : order.entries) {
    made.log_entries.push_back(log(form, order, made));
  }
  if (order.timestamp) {
    made.timestamps.push_back(tsa.stamp(signature, now + order.stamped_after));
  }
  return made;
}

std::string FakeSigstore::trusted_root_json() const {
  return json{{"mediaType", "application/vnd.dev.sigstore.trustedroot+json;version=0.1"},
              {"tlogs", json::array({log_json(rekor1), log_json(rekor2)})},
              {"certificateAuthorities",
               json::array({authority_json("https://fulcio.sigstore.test",
                                           "",
                                           {intermediate.certificate, root.certificate},
                                           ca_trusted_from,
                                           ca_trusted_to)})},
              {"ctlogs", json::array({log_json(ct)})},
              {"timestampAuthorities",
               json::array({authority_json(tsa.url(),
                                           tsa.operator_name,
                                           {tsa.leaf.certificate, tsa.root.certificate},
                                           tsa.trusted_from,
                                           tsa.trusted_to)})}}
      .dump();
}

sigstore::TrustedRoot FakeSigstore::trusted_root() const {
  return sigstore::parse_trusted_root(trusted_root_json());
}

std::string statement_about(std::string_view artifact, std::string_view predicate_type) {
  return json{
      {"_type", "https://in-toto.io/Statement/v1"},
      {"subject",
       json::array({{{"name", "it"}, {"digest", {{"sha256", Digest::of(artifact).hex()}}}}})},
      {"predicateType", predicate_type},
      {"predicate", {{"built", true}}}}
      .dump();
}

sigstore::Signer acme() {
  const std::string workflow =
      "https://github.com/acme/app/.github/workflows/build.yml@refs/heads/main";
  return {.issuer = "https://token.actions.githubusercontent.com",
          .subject = workflow,
          .build_signer_uri = workflow,
          .runner_environment = "github-hosted",
          .source_repository_uri = "https://github.com/acme/app",
          .source_digest = "a5b0aa2ba8c9bca4e9b4d8e2ff5f4b52be0ae2a6",
          .source_ref = "refs/heads/main",
          .source_repository_id = "1234",
          .source_owner_id = "99",
          .build_trigger = "push"};
}

sigstore::Identity acme_identity() {
  sigstore::Identity identity;
  identity.issuer = acme().issuer;
  identity.subject = acme().subject;
  return identity;
}

}  // namespace seed::test
