#include "sigstore/rekor.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "key_files.hpp"
#include "scripted_transport.hpp"
#include "support/catch.hpp"

using namespace seed;
using namespace seed::sigstore;
using Catch::Matchers::Message;
using nlohmann::json;

namespace {

Bytes bytes(std::string_view text) {
  return {bytes_of(text).begin(), bytes_of(text).end()};
}

Bundle envelope() {
  Bundle bundle;
  bundle.material = std::vector<Bytes>{bytes("leaf")};
  bundle.content = DsseEnvelope{.payload = "{}",
                                .payload_type = "application/vnd.in-toto+json",
                                .signature = {bytes("sig"), {}}};
  return bundle;
}

Bundle message() {
  Bundle bundle;
  bundle.material = PublicKeyHint{"hint"};
  bundle.content = MessageSignature{.digest_algorithm = "SHA2_256",
                                    .digest = hash(Hash::sha256, bytes_of("file")),
                                    .signature = bytes("sig")};
  return bundle;
}

const std::optional<PublicKey> kNoKey;
const std::optional<PublicKey> kKey = PublicKey::parse_pem(test::kP256Public);
const std::string kUuid(64, 'a');

/// A reply of Rekor v1 with an entry of this body.
std::string reply(const std::string& body) {
  return json{{kUuid,
               {{"body", to_base64(bytes_of(body))},
                {"integratedTime", 1734374576},
                {"logID", std::string(64, 'b')},
                {"logIndex", 5},
                {"verification",
                 {{"signedEntryTimestamp", "c2V0"},
                  {"inclusionProof",
                   {{"logIndex", 3},
                    {"treeSize", 4},
                    {"rootHash", std::string(64, 'c')},
                    {"hashes", json::array({std::string(64, 'd')})},
                    {"checkpoint", "note"}}}}}}}}
      .dump();
}

}  // namespace

// The forms that rekor-server 1.5.4 took and kept, with other values.
TEST_CASE("an envelope is proposed to Rekor v1 as a text, and kept by its hashes") {
  const Bundle bundle = envelope();
  const LogProposal proposal{bundle, kNoKey};
  CHECK(
      rekor_v1_request(proposal) ==
      R"({"apiVersion":"0.0.1","kind":"dsse","spec":{"proposedContent":{"envelope":"{\"payload\":)"
      R"(\"e30=\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[{\"sig\":)"
      R"(\"c2ln\"}]}","verifiers":["LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCmJHVmhaZz09Ci0tLS0tRU5EIE)"
      R"(NFUlRJRklDQVRFLS0tLS0K"]}}})");
  CHECK(
      rekor_v1_body(proposal) ==
      R"({"apiVersion":"0.0.1","kind":"dsse","spec":{"envelopeHash":{"algorithm":"sha256","value":)"
      R"("8c014811fe4aada2b244c6cb421398e2f9e1e26c8da3da3620dbd51c2b3e5d35"},"payloadHash":)"
      R"({"algorithm":"sha256","value":)"
      R"("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"signatures":)"
      R"([{"signature":"c2ln","verifier":"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCmJHVmhaZz09Ci0tLS0)"
      R"(tRU5EIENFUlRJRklDQVRFLS0tLS0K"}]}})");
}

TEST_CASE("a file's signature by a key is proposed to both Rekors with the key") {
  const Bundle bundle = message();
  const LogProposal proposal{bundle, kKey};
  const json v1 = json::parse(rekor_v1_request(proposal));
  CHECK(v1["kind"] == "hashedrekord");
  CHECK(v1["spec"]["data"]["hash"]["value"] == Digest::of("file").hex());
  CHECK(v1["spec"]["signature"]["publicKey"]["content"] ==
        to_base64(bytes_of(std::string_view(test::kP256Public))));
  CHECK(rekor_v1_body(proposal) == rekor_v1_request(proposal));
  const json v2 = json::parse(rekor_v2_request(proposal));
  const json& request = v2["hashedRekordRequestV002"];
  CHECK(request["digest"] == to_base64(Digest::of("file").raw()));
  CHECK(request["signature"]["content"] == "c2ln");
  CHECK(request["signature"]["verifier"]["keyDetails"] == "PKIX_ECDSA_P256_SHA_256");
  CHECK(request["signature"]["verifier"]["publicKey"]["rawBytes"] == to_base64(kKey->spki()));
}

TEST_CASE("an envelope is proposed to Rekor v2 by the hash of what was signed") {
  const Bundle bundle = envelope();
  const json request = json::parse(rekor_v2_request({bundle, kNoKey}))["hashedRekordRequestV002"];
  CHECK(request["digest"] ==
        to_base64(Digest::of("DSSEv1 28 application/vnd.in-toto+json 2 {}").raw()));
  CHECK(request["signature"]["verifier"]["x509Certificate"]["rawBytes"] == "bGVhZg==");
}

TEST_CASE("what Rekor v1 answers becomes an entry") {
  const Bundle bundle = envelope();
  const LogProposal proposal{bundle, kNoKey};
  test::ScriptedTransport transport;
  transport.answer(201, reply(rekor_v1_body(proposal)), "application/json; charset=utf-8");
  const LogEntry entry = log_with_rekor_v1(transport, "https://rekor.test/", proposal);
  CHECK(transport.asked.at(0).url == "https://rekor.test/api/v1/log/entries");
  CHECK(transport.asked.at(0).headers.get("Content-Type") == "application/json");
  CHECK(entry.log_index == 5);
  CHECK(entry.kind == "dsse");
  CHECK(entry.version == "0.0.1");
  CHECK(entry.integrated_time == 1734374576);
  CHECK(entry.proof->log_index == 3);
  CHECK(entry.proof->hashes.size() == 1);
  CHECK(entry.proof->checkpoint == "note");
}

TEST_CASE("an entry that is there already is fetched, and taken if it is about the same") {
  const Bundle bundle = envelope();
  const LogProposal proposal{bundle, kNoKey};
  const std::string conflict = fmt::format(
      R"({{"code":409,"message":"an equivalent entry already exists in the transparency log with UUID {}"}})",
      kUuid);
  for (const bool with_location : {true, false}) {
    test::ScriptedTransport transport;
    transport.answer(409, with_location ? "{}" : conflict);
    if (with_location) {
      transport.answers.back().headers.add("Location", "/api/v1/log/entries/" + kUuid);
    }
    transport.answer(200, reply(rekor_v1_body(proposal)));
    CHECK(log_with_rekor_v1(transport, "https://rekor.test", proposal).log_index == 5);
    CHECK(transport.asked.at(1).method == http::Method::get);
    CHECK(transport.asked.at(1).url == "https://rekor.test/api/v1/log/entries/" + kUuid);
  }
  Bundle other = bundle;
  std::get<DsseEnvelope>(other.content).payload = "{\"a\":1}";
  test::ScriptedTransport transport;
  transport.answer(409, conflict);
  transport.answer(200, reply(rekor_v1_body({other, kNoKey})));
  CHECK_THROWS_AS(log_with_rekor_v1(transport, "https://rekor.test", proposal), IntegrityError);
  // Nowhere to fetch it from, and nothing that would lead elsewhere.
  for (const char* location : {"", "/api/v1/log/entries/../../x", "/api/v1/log/entries/abc"}) {
    test::ScriptedTransport lost;
    lost.answer(409, R"({"code":409,"message":"exists"})");
    lost.answers.back().headers.add("Location", location);
    CHECK_THROWS_MATCHES(
        log_with_rekor_v1(lost, "https://rekor.test", proposal),
        NetworkError,
        Message("Rekor at https://rekor.test/api/v1/log/entries answered 409: exists"));
  }
}

TEST_CASE("a Rekor that answers otherwise is refused in its own words") {
  const Bundle bundle = envelope();
  const LogProposal proposal{bundle, kNoKey};
  test::ScriptedTransport transport;
  transport.answer(400, R"({"code":400,"message":"bad\u001b entry"})");
  CHECK_THROWS_MATCHES(
      log_with_rekor_v1(transport, "https://rekor.test", proposal),
      NetworkError,
      Message("Rekor at https://rekor.test/api/v1/log/entries answered 400: bad\\x1b entry"));
  transport.answer(201, "<html>", "text/html");
  CHECK_THROWS_MATCHES(
      log_with_rekor_v1(transport, "https://rekor.test", proposal),
      NetworkError,
      Message("Rekor at https://rekor.test/api/v1/log/entries answered with 'text/html', not with "
              "application/json"));
  transport.answer(405, "{}");
  CHECK_THROWS_AS(log_with_rekor_v2(transport, "https://rekor.test", proposal), NetworkError);
  transport.answer(409, "{}");
  CHECK_FALSE(log_with_rekor_v2(transport, "https://rekor.test", proposal));
}

TEST_CASE("a reply of Rekor v1 that is malformed anywhere is refused") {
  const std::string good = reply(R"({"kind":"dsse","apiVersion":"0.0.1"})");
  CHECK_NOTHROW(parse_rekor_v1_entry(good));
  const auto refused = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    REQUIRE(at != text.npos);
    CHECK_THROWS_AS(parse_rekor_v1_entry(text.replace(at, from.size(), to)), FormatError);
  };
  refused("\"logIndex\":5", "\"logIndex\":-5");
  refused("\"logIndex\":3", "\"logIndex\":null");
  refused("bbbb", "BBBB");
  refused("cccc", "cc");
  refused("dddd", "dd");
  refused("c2V0", "c2V");
  refused("\"integratedTime\"", "\"time\"");
  refused("\"checkpoint\":\"note\"", "\"checkpoint\":1");
  refused("\"body\":\"", "\"body\":\"A");
  CHECK_THROWS_AS(parse_rekor_v1_entry("{}"), FormatError);
  CHECK_THROWS_AS(parse_rekor_v1_entry(reply("[]")), FormatError);
  CHECK_THROWS_AS(parse_rekor_v1_entry(reply("{}")), FormatError);
}
