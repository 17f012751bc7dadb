#include <nlohmann/json.hpp>

#include "base/digest.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "key_files.hpp"
#include "scripted_transport.hpp"
#include "sigstore/exchange.hpp"
#include "sigstore/fulcio.hpp"
#include "sigstore/timestamp_client.hpp"
#include "support/catch.hpp"
#include "support/fake_registry.hpp"

using namespace seed;
using namespace seed::sigstore;
using Catch::Matchers::Message;
using nlohmann::json;

namespace {

constexpr const char* kLeaf = "-----BEGIN CERTIFICATE-----\nbGVhZg==\n-----END CERTIFICATE-----\n";

std::string issued(const char* kind, json more = json::object()) {
  json chain{{"chain", {{"certificates", json::array({kLeaf, "intermediate"})}}}};
  chain.update(more);
  return json{{kind, chain}}.dump();
}

}  // namespace

TEST_CASE("Fulcio is asked with the token in a header, and the key's proof in the body") {
  PrivateKey key = PrivateKey::parse_pem(test::kP256, {});
  test::ScriptedTransport transport;
  transport.answer(200, issued("signedCertificateEmbeddedSct"));
  const IssuedCertificate certificate =
      request_certificate(transport, "https://fulcio.test", "TOKEN", "repo:acme/app", key);
  CHECK(text_of(certificate.leaf) == "leaf");
  CHECK_FALSE(certificate.has_detached_sct);
  const auto& asked = transport.asked.at(0);
  CHECK(asked.url == "https://fulcio.test/api/v2/signingCert");
  CHECK(asked.headers.get("Authorization") == "Bearer TOKEN");
  CHECK(asked.body.find("TOKEN") == std::string::npos);
  const json body = json::parse(asked.body)["publicKeyRequest"];
  CHECK(body["publicKey"]["content"] == test::kP256Public);
  CHECK(key.public_key().verify(bytes_of("repo:acme/app"),
                                from_base64(body["proofOfPossession"].get<std::string>()).value()));
}

TEST_CASE("Fulcio's answer is one chain, with its leaf as PEM") {
  CHECK(parse_issued_certificate(
            issued("signedCertificateDetachedSct", {{"signedCertificateTimestamp", "e30="}}))
            .has_detached_sct);
  CHECK_FALSE(parse_issued_certificate(issued("signedCertificateDetachedSct")).has_detached_sct);
  for (const std::string& reply :
       {std::string("{}"),
        std::string("[]"),
        std::string(R"({"signedCertificateEmbeddedSct":{"chain":{"certificates":[]}}})"),
        std::string(R"({"signedCertificateEmbeddedSct":{"chain":{"certificates":[1]}}})"),
        std::string(R"({"signedCertificateEmbeddedSct":{"chain":{"certificates":["x"]}}})"),
        std::string(R"({"signedCertificateEmbeddedSct":{},"signedCertificateDetachedSct":{}})")}) {
    CHECK_THROWS_AS(parse_issued_certificate(reply), FormatError);
  }
}

TEST_CASE("a refusal of Fulcio's says what it said, and never has the token") {
  PrivateKey key = PrivateKey::generate();
  test::ScriptedTransport transport;
  transport.answer(
      400,
      R"({"code":3,"message":"There was an error processing the identity token","details":[]})");
  CHECK_THROWS_MATCHES(
      request_certificate(transport, "https://fulcio.test", "TOKEN", "x", key),
      NetworkError,
      Message("Fulcio at https://fulcio.test/api/v2/signingCert answered 400: There was an error "
              "processing the identity token"));
}

TEST_CASE("a timestamp is asked for in DER, byte for byte as OpenSSL asks") {
  // openssl ts -query -data <(printf sig) -sha256, and the nonce that it chose
  const TimestampNonce nonce{std::byte{0x41},
                             std::byte{0x02},
                             std::byte{0x03},
                             std::byte{0x04},
                             std::byte{0x05},
                             std::byte{0x06},
                             std::byte{0x07},
                             std::byte{0x08}};
  CHECK(to_hex(timestamp_request(bytes_of("sig"), nonce)) ==
        "30400201013031300d060960864801650304020105000420" + Digest::of("sig").hex() +
            "02084102030405060708");
}

TEST_CASE("what no timestamp authority answers is refused") {
  test::ScriptedTransport transport;
  transport.answer(200, "x", "text/plain");
  CHECK_THROWS_AS(request_timestamp(transport, "https://tsa.test/x", bytes_of("s")), NetworkError);
  transport.answer(200, "x", "application/timestamp-reply");
  CHECK_THROWS_AS(request_timestamp(transport, "https://tsa.test/x", bytes_of("s")), FormatError);
  transport.answer(500, "{}");
  CHECK_THROWS_MATCHES(
      request_timestamp(transport, "https://tsa.test/x?token=1", bytes_of("s")),
      NetworkError,
      Message("the timestamp authority at https://tsa.test/x?token=... answered 500"));
  CHECK(transport.asked.at(0).headers.get("Content-Type") == "application/timestamp-query");
}

TEST_CASE("nothing is asked when the time for signing is over") {
  test::FakeClock clock;
  test::ScriptedTransport inner;
  inner.answer(200, "{}");
  UntilTransport until(inner, clock, clock.now() + std::chrono::seconds(10));
  CHECK(until.send({.url = "https://a.test/"}).status == 200);
  clock.advance(std::chrono::seconds(10));
  CHECK_THROWS_MATCHES(
      until.send({.url = "https://a.test/"}),
      NetworkError,
      Message("the time for signing is over; https://a.test/ was not asked any more"));
  CHECK(inner.asked.size() == 1);
}
