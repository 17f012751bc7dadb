#include "sigstore/tuf_metadata.hpp"

#include "support/catch.hpp"
#include "tuf_client.hpp"

using namespace seed;
using namespace seed::test;
using namespace seed::sigstore;
using nlohmann::json;

namespace {

struct Case {
  const char* patch;
  const char* message;
};

/// Why the file is refused with `signed` patched so.
std::string refusal(const std::string& text, const char* patch, auto parse) {
  json file = json::parse(text);
  file.merge_patch(json::parse(patch));
  return message_of([&] { parse(file.dump()); });
}

}  // namespace

TEST_CASE("what is wrong with a root is named") {
  const TufRepository repository;
  const std::string text = repository.root_text();
  for (const Case& c : std::initializer_list<Case>{
           {R"({})", "accepted"},
           {R"({"signed":{"_type":"targets"}})", "'_type' is 'targets', not 'root'"},
           {R"({"signed":{"spec_version":"2.0"}})", "'spec_version' is '2.0', not 1"},
           {R"({"signed":{"spec_version":"10.0"}})", "'spec_version' is '10.0', not 1"},
           {R"({"signed":{"spec_version":"1.0"}})", "accepted"},
           {R"({"signed":{"version":0}})", "'version' is 0; the first is 1"},
           {R"({"signed":{"version":-1}})",
            "'version' is not a whole number from 0 to 9223372036854775807"},
           {R"({"signed":{"expires":"never"}})",
            "'never' is not a time such as 2022-12-31T23:59:59Z"},
           {R"({"signed":{"x":1.5}})", "canonical JSON has whole numbers only"},
           {R"({"signed":{"consistent_snapshot":1}})",
            "'consistent_snapshot' is neither true nor false"},
           {R"({"signed":{"keys":{"a":{}}}})", "'keytype' is missing"},
           {R"({"signed":{"roles":{"root":null}}})", "reading the role root: 'root' is missing"},
           {R"({"signed":{"roles":{"snapshot":{"threshold":0}}}})",
            "reading the role snapshot: 'threshold' is 0, of 1 keys"},
           {R"({"signed":{"roles":{"snapshot":{"threshold":2}}}})",
            "reading the role snapshot: 'threshold' is 2, of 1 keys"},
           {R"({"signed":{"roles":{"snapshot":{"keyids":[1]}}}})",
            "reading the role snapshot: 'keyids' has what is not a text"},
           {R"({"signatures":[{"keyid":"a","sig":"zz"}]})", "signature 'zz' is not hexadecimal"},
           {R"({"signatures":[{"keyid":"a","sig":""}]})", "accepted"},
           {R"({"signatures":null})", "'signatures' is missing"},
           {R"({"signed":null})", "'signed' is missing"}}) {
    INFO(c.patch);
    const std::string prefix = std::string(c.message) == "accepted" ? "" : "reading root.json: ";
    CHECK(refusal(text, c.patch, tuf::parse_root) == prefix + c.message);
  }
}

TEST_CASE("keys that can't be used here are not among a root's keys") {
  const TufRepository repository;
  json file = json::parse(repository.root_text());
  const auto with_key = [&](json key) {
    file["signed"]["keys"] = {{"a", std::move(key)}};
    return tuf::parse_root(file.dump()).keys.size();
  };
  const std::string p256 = TestKey::p256().public_key().pem();
  const auto key = [](const char* type, const char* scheme, const std::string& text) {
    return json{{"keytype", type}, {"scheme", scheme}, {"keyval", {{"public", text}}}};
  };
  CHECK(with_key(key("ecdsa", "ecdsa-sha2-nistp256", p256)) == 1);
  CHECK(with_key(key("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", p256)) == 1);
  CHECK(with_key(key("ecdsa", "ecdsa-sha2-nistp384", p256)) == 0);
  CHECK(with_key(key("rsa", "ecdsa-sha2-nistp256", p256)) == 0);
  CHECK(with_key(key("rsa", "rsassa-pss-sha256", p256)) == 0);
  CHECK(with_key(key("ecdsa", "ecdsa-sha2-nistp256", "04abcd")) == 0);
  CHECK(with_key(key("ed25519", "ed25519", std::string(64, 'a'))) == 1);
  CHECK(with_key(key("ed25519", "ed25519", std::string(62, 'a'))) == 0);
  CHECK(with_key(key("ed25519", "ed25519", std::string(64, 'z'))) == 0);
}

TEST_CASE("what is wrong with other metadata is named") {
  const TufRepository repository;
  const std::string timestamp = repository.files.at("timestamp.json");
  CHECK(refusal(timestamp, R"({"signed":{"meta":{"snapshot.json":null}}})", tuf::parse_timestamp) ==
        "reading timestamp.json: 'meta' does not name snapshot.json");
  CHECK(refusal(timestamp,
                R"({"signed":{"meta":{"snapshot.json":{"version":0}}}})",
                tuf::parse_timestamp) ==
        "reading timestamp.json: reading 'snapshot.json': 'version' is 0; the first is 1");
  CHECK(refusal(timestamp,
                R"({"signed":{"meta":{"snapshot.json":{"hashes":{"sha256":null}}}}})",
                tuf::parse_timestamp) ==
        "reading timestamp.json: reading 'snapshot.json': 'hashes' has neither sha256 nor sha512");
  CHECK(message_of([&] { tuf::parse_timestamp(std::string(16'385, ' ')); }) ==
        "reading timestamp.json: the file has 16385 bytes; at most 16384 are read");
  CHECK(refusal(repository.files.at("1.snapshot.json"),
                R"({"signed":{"meta":{"targets.json":null}}})",
                tuf::parse_snapshot) == "reading snapshot.json: 'meta' does not name targets.json");
  const std::string targets = repository.files.at("1.targets.json");
  CHECK(refusal(targets,
                R"({"signed":{"targets":{"trusted_root.json":{"hashes":null}}}})",
                tuf::parse_targets) ==
        "reading targets.json: reading 'trusted_root.json': 'hashes' is missing");
  CHECK(
      refusal(targets,
              R"({"signed":{"targets":{"trusted_root.json":{"hashes":{"sha512":"aa"}}}}})",
              tuf::parse_targets) ==
      "reading targets.json: reading 'trusted_root.json': 'sha512' is not 128 hexadecimal digits");
  CHECK(
      refusal(targets,
              R"({"signed":{"targets":{"trusted_root.json":{"length":-1}}}})",
              tuf::parse_targets) ==
      "reading targets.json: reading 'trusted_root.json': 'length' is not a whole number from 0 to "
      "9223372036854775807");
}
