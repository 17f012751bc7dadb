#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "support/catch.hpp"
#include "verify_trial.hpp"

// For every check, and for every advisory on verifiers of such bundles, one that is broken only
// there is refused for that reason.

namespace seed::sigstore {

using nlohmann::json;
using test::EntryForm;
using test::FakeSigstore;
using namespace std::chrono_literals;

TEST_CASE("a bundle of a form that is not a bundle's is refused for that") {
  const Check check = Check::format;
  check_breakages({
      {"truncated",
       check,
       "is not JSON",
       [](Trial& t) { t.at_text = [](std::string& s) { s.pop_back(); }; }},
      {"a member twice",
       check,
       "twice",
       text("{\"mediaType\"", "{\"mediaType\":\"x\",\"mediaType\"")},
      {"both spellings",
       check,
       "twice",
       text("\"logIndex\"", "\"log_index\":\"1005\",\"logIndex\"")},
      {"an unknown member",
       check,
       "does not know",
       text("\"verificationMaterial\"", "\"more\":1,\"verificationMaterial\"")},
      {"an unknown version", check, "media type", text("bundle.v0.3+json", "bundle.v0.4+json")},
      {"base64 with a line break", check, "not padded base64", text("\"sig\":\"", "\"sig\":\"\\n")},
      {"base64 without padding", check, "not padded base64", text("\"sig\":\"", "\"sig\":\"A")},
      {"a negative index",
       check,
       "not a whole number",
       text("\"logIndex\":\"1005\"", "\"logIndex\":\"-1\"")},
      {"an index beyond 64 bits",
       check,
       "not a whole number",
       text("\"logIndex\":\"1005\"", "\"logIndex\":\"9223372036854775808\"")},
      {"an index that is no number",
       check,
       "not a whole number",
       text("\"logIndex\":\"1005\"", "\"logIndex\":\"1e3\"")},
      {"no material",
       check,
       "one of certificate",
       text("\"certificate\":", "\"certificate\":null,\"certificate_\":")},
      {"a chain in version 0.3",
       check,
       "no x509CertificateChain",
       text("\"certificate\":{",
            "\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\"AAAA\"}]},\"certificate\":"
            "null,\"x\":{")},
      {"no signature",
       check,
       "0 signatures",
       [](Trial& t) {
         t.at_text = [](std::string& bundle) {
           json value = json::parse(bundle);
           value["dsseEnvelope"]["signatures"] = json::array();
           bundle = value.dump();
         };
       }},
      {"two signatures",
       check,
       "2 signatures",
       text("\"signatures\":[{", "\"signatures\":[{\"sig\":\"AAAA\"},{")},
      {"two contents",
       check,
       "one of messageSignature",
       text("\"dsseEnvelope\":",
            "\"messageSignature\":{\"signature\":\"AAAA\"},\"dsseEnvelope\":")},
      {"no proof in 0.3", check, "inclusion proof is missing", at_entry([](LogEntry& e) {
         e.proof.reset();
       })},
      {"no checkpoint in 0.3", check, "no checkpoint", at_entry([](LogEntry& e) {
         e.proof->checkpoint.clear();
       })},
      {"no promise in 0.1",
       check,
       "inclusion promise",
       [](Trial& t) {
         t.order.version = BundleVersion::v0_1;
         t.after = [](Bundle& b) { b.log_entries[0].signed_entry_timestamp.clear(); };
       }},
      {"too many entries", check, "33 elements", after([](Bundle& b) {
         b.log_entries.resize(33, b.log_entries[0]);
       })},
      {"too many timestamps", check, "33 elements", after([](Bundle& b) {
         b.timestamps.resize(33, b.timestamps[0]);
       })},
  });
}

TEST_CASE("a certificate or key that may not sign is refused") {
  const Check check = Check::leaf;
  check_breakages({
      {"no certificate", check, "not one X.509", after([](Bundle& b) {
         b.material = std::vector<Bytes>{Bytes(10)};
       })},
      {"something behind it", check, "not one X.509", after([](Bundle& b) {
         std::get<0>(b.material)[0].push_back(std::byte{0});
       })},
      {"a root brought along",
       check,
       "root certificate",
       [](Trial& t) {
         t.order.version = BundleVersion::v0_2;
         t.after = [root = t.sigstore.root.certificate.der()](Bundle& b) {
           std::get<0>(b.material).push_back(root);
         };
       }},
      {"an authority",
       check,
       "is an authority's",
       extension("basicConstraints", "critical,CA:TRUE")},
      {"no key usage", check, "digitalSignature", extension("keyUsage", "")},
      {"another key usage",
       check,
       "digitalSignature",
       extension("keyUsage", "critical,keyAgreement")},
      {"no extended key usage", check, "codeSigning", extension("extendedKeyUsage", "")},
      {"another extended key usage",
       check,
       "codeSigning",
       extension("extendedKeyUsage", "serverAuth")},
      {"no name", check, "alternative name", extension("subjectAltName", "")},
      {"two names",
       check,
       "alternative name",
       extension("subjectAltName", "URI:https://a.test/,URI:https://b.test/")},
      {"a name of another type",
       check,
       "alternative name",
       extension("subjectAltName", "DNS:a.test")},
      {"two issuers that differ",
       check,
       "two issuers",
       extension("1.3.6.1.4.1.57264.1.1", test::der_extension(bytes_of("https://evil.test")))},
      {"an issuer that is no UTF8String",
       check,
       "not a UTF8String",
       extension("1.3.6.1.4.1.57264.1.8",
                 test::der_extension(bytes_of("https://token.actions.githubusercontent.com")))},
      {"a key of RSA 1024",
       check,
       "1024 bits",
       [](Trial& t) { t.order.key = test::TestKey::weak_rsa(); }},
      {"a key where an identity is wanted",
       check,
       "no key is believed",
       [](Trial& t) { t.order.managed_key = true; }},
      {"an identity where a key is wanted",
       check,
       "only a key is believed",
       [](Trial& t) {
         t.expected.identities.clear();
         t.expected.key = t.order.key.public_key();
       }},
      {"two names of the key",
       check,
       "two different keys",
       [](Trial& t) {
         by_key(t);
         t.after = [](Bundle& b) { envelope(b).signature.keyid = "other"; };
       }},
  });
}

}  // namespace seed::sigstore
