#include "base/digest.hpp"
#include "support/catch.hpp"
#include "tuf_client.hpp"

using namespace seed;
using namespace seed::test;

// The attacks that The Update Framework names (TUF 1.0.33 §1.5.2), each by somebody who can do just
// that: serve other files, or sign with the keys that the attack supposes stolen. Those on the
// targets themselves are in tuf_software_test.cpp.

TEST_CASE("rollback: metadata older than what was believed is refused") {
  TufClient client;
  client.repository.publish_next();
  const auto second = client.repository.files;
  client.repository.contents["trusted_root.json"] = "the trusted root, version 3";
  client.repository.publish_next();
  REQUIRE(client.refresh() == "the trusted root, version 3");
  auto& repository = client.repository;
  SECTION("the timestamp") {
    repository.files = second;
    CHECK(client.rule() == "rollback");
    CHECK(client.message() ==
          "asking https://tuf.example/repo for trusted_root.json: timestamp.json is version 2; it "
          "was "
          "3 before");
  }
  SECTION("the snapshot, under a timestamp that is newer") {
    repository.snapshot.version = 2;
    repository.files = second;
    repository.timestamp.version = 4;
    repository.publish_timestamp();
    CHECK(client.rule() == "rollback");
    CHECK(client.message() ==
          "asking https://tuf.example/repo for trusted_root.json: snapshot.json, by what "
          "timestamp.json says, is version 2; it was 3 before");
  }
  SECTION("the targets, under a snapshot that is newer") {
    repository.files = second;
    repository.targets.version = 2;
    repository.snapshot.version = 4;
    repository.timestamp.version = 4;
    repository.publish_snapshot();
    repository.publish_timestamp();
    CHECK(client.rule() == "rollback");
    CHECK(client.message() ==
          "asking https://tuf.example/repo for trusted_root.json: targets.json, by what "
          "snapshot.json "
          "says, is version 2; it was 3 before");
  }
  SECTION("metadata that a snapshot named and another does not") {
    repository.patches["snapshot"]["meta"]["role.json"]["version"] = 1;
    repository.publish_next();
    REQUIRE(client.rule() == "accepted");
    repository.patches.clear();
    repository.publish_next();
    CHECK(client.rule() == "rollback");
    CHECK(
        client.message() ==
        "asking https://tuf.example/repo for trusted_root.json: snapshot.json, version 5 does not "
        "name role.json, which it did before");
  }
  SECTION("the root") {
    const std::string first = repository.files.at("1.root.json");
    repository.rotate([](TufRepository&) {});
    repository.files["2.root.json"] = first;
    CHECK(client.rule() == "version");
    CHECK(client.message() ==
          "asking https://tuf.example/repo for trusted_root.json: root.json, version 1 is not "
          "version "
          "2, which follows version 1");
  }
}

TEST_CASE("freeze: metadata that nobody has vouched for of late is refused") {
  TufClient client;
  auto& repository = client.repository;
  REQUIRE(client.rule() == "accepted");
  const std::string early = "2026-05-02T00:00:00Z";
  SECTION("the timestamp, though nothing has changed") {
    repository.timestamp.expires = early;
    ++repository.timestamp.version;
    repository.publish_timestamp();
    REQUIRE(client.rule() == "accepted");
    client.clock.time = sigstore::parse_rfc3339(early);
    CHECK(client.rule() == "expiry");
    CHECK(client.message() ==
          "asking https://tuf.example/repo for trusted_root.json: timestamp.json, version 2 "
          "expired at "
          "2026-05-02T00:00:00Z");
    client.clock.time -= std::chrono::seconds(1);
    CHECK(client.rule() == "accepted");
  }
  SECTION("the snapshot") {
    repository.snapshot.expires = early;
    repository.publish_next();
    client.clock.time = sigstore::parse_rfc3339(early);
    CHECK(client.rule() == "expiry");
    CHECK(client.message().ends_with("snapshot.json, version 2 expired at 2026-05-02T00:00:00Z"));
  }
  SECTION("the targets") {
    repository.targets.expires = early;
    repository.publish_next();
    client.clock.time = sigstore::parse_rfc3339(early);
    CHECK(client.rule() == "expiry");
    CHECK(client.message().ends_with("targets.json, version 2 expired at 2026-05-02T00:00:00Z"));
  }
  SECTION("the last root, but not those on the way to it") {
    repository.rotate([&](TufRepository& r) { r.root.expires = "2026-01-01T00:00:00Z"; });
    CHECK(client.rule() == "expiry");
    CHECK(client.message().ends_with("root.json, version 2 expired at 2026-01-01T00:00:00Z"));
    repository.rotate([&](TufRepository& r) { r.root.expires = "2027-01-01T00:00:00Z"; });
    CHECK(client.rule() == "accepted");
  }
}

TEST_CASE("mix and match: metadata of different times is refused") {
  TufClient client;
  auto& repository = client.repository;
  const auto first = repository.files;
  repository.publish_next();
  SECTION("a snapshot that the timestamp does not name") {
    repository.files["2.snapshot.json"] = first.at("1.snapshot.json");
    CHECK(client.rule() == "hash");
  }
  SECTION("nor by a timestamp without hashes, as Sigstore's") {
    repository.patches["timestamp"]["meta"]["snapshot.json"] = {{"hashes", nullptr},
                                                                {"length", nullptr}};
    repository.publish_timestamp();
    CHECK(client.rule() == "accepted");
    repository.files["2.snapshot.json"] = first.at("1.snapshot.json");
    repository.files["3.snapshot.json"] = first.at("1.snapshot.json");
    repository.snapshot.version = 2;
    ++repository.timestamp.version;
    repository.files["2.snapshot.json"] = first.at("1.snapshot.json");
    repository.publish_timestamp();
    CHECK(client.rule() == "accepted");  // the one it knows still fits
    repository.patches["timestamp"]["meta"]["snapshot.json"]["version"] = 3;
    ++repository.timestamp.version;
    repository.publish_timestamp();
    CHECK(client.rule() == "version");
    CHECK(client.message().ends_with(
        "snapshot.json, version 1 is not version 3, which timestamp.json names"));
  }
  SECTION("targets that the snapshot does not name") {
    repository.patches["snapshot"]["meta"]["targets.json"]["length"] = nullptr;
    repository.publish_snapshot();
    repository.publish_timestamp();
    repository.files["2.targets.json"] = first.at("1.targets.json");
    CHECK(client.rule() == "hash");
  }
  SECTION("nor by a snapshot without hashes") {
    repository.patches["snapshot"]["meta"]["targets.json"] = {{"hashes", nullptr},
                                                              {"length", nullptr}};
    repository.publish_snapshot();
    repository.publish_timestamp();
    repository.files["2.targets.json"] = first.at("1.targets.json");
    CHECK(client.rule() == "version");
    CHECK(client.message().ends_with(
        "targets.json, version 1 is not version 2, which snapshot.json names"));
  }
  SECTION("one role's file in another's place") {
    repository.files["timestamp.json"] = repository.files["2.snapshot.json"];
    CHECK(client.rule() ==
          "format: asking https://tuf.example/repo for trusted_root.json: reading timestamp.json: "
          "'_type' is 'snapshot', not 'timestamp'");
  }
}

TEST_CASE("endless data: nothing is read beyond its limit") {
  TufClient client;
  auto& files = client.repository.files;
  std::size_t limit = 0;
  const auto endless = [&](const std::string& name, std::size_t most) {
    files[name] = std::string(most + 4096 * 1000, ' ');
    limit = most;
  };
  SECTION("a root") {
    endless("2.root.json", 512'000);
  }
  SECTION("a timestamp") {
    endless("timestamp.json", 16'384);
  }
  SECTION("a snapshot whose length was signed") {
    limit = files["1.snapshot.json"].size();
    endless("1.snapshot.json", limit);
  }
  SECTION("targets whose length was not") {
    client.repository.patches["snapshot"]["meta"]["targets.json"]["length"] = nullptr;
    client.repository.publish_snapshot();
    client.repository.publish_timestamp();
    endless("1.targets.json", 5'000'000);
  }
  SECTION("a target whose length is beyond what anybody needs") {
    client.repository.patches["targets"]["targets"]["trusted_root.json"]["length"] = 1ULL << 40;
    client.repository.publish_targets();
    client.repository.publish_snapshot();
    client.repository.publish_timestamp();
    endless("targets/" + Digest::of("the trusted root, version 1").hex() + ".trusted_root.json",
            4 << 20);
  }
  CHECK(client.rule() == "length");
  CHECK(client.message().ends_with("the answer has more than " + std::to_string(limit) + " bytes"));
}

TEST_CASE("endless roots are given up") {
  TufClient client;
  client.known.cache.clear();
  // One key is enough to count by.
  const TestKey key = TestKey::ed25519();
  auto& repository = client.repository;
  for (auto* role :
       {&repository.root, &repository.timestamp, &repository.snapshot, &repository.targets}) {
    *role = {.keys = {key}};
  }
  repository.publish_root();
  repository.publish_targets();
  repository.publish_snapshot();
  repository.publish_timestamp();
  client.known.root = repository.root_text();
  for (int i = 0; i < 257; ++i) {
    repository.rotate([](TufRepository&) {});
  }
  CHECK(client.message() ==
        "asking https://tuf.example/repo for trusted_root.json: there are more than 256 roots to "
        "follow");
  repository.files.erase("257.root.json");
  CHECK(client.rule() == "accepted");
}

TEST_CASE("slow retrieval: all of a refresh has two minutes") {
  TufClient client;
  SECTION("between files") {
    client.server.before = [&](const std::string&) {
      client.clock.time += std::chrono::seconds(31);
    };
    CHECK(client.rule() ==
          "network: asking https://tuf.example/repo for trusted_root.json: getting 1.targets.json: "
          "https://tuf.example/repo/ has not given all that is needed in 120 s");
  }
  SECTION("within a file, however steadily it trickles") {
    client.repository.files["timestamp.json"] += std::string(16'384 - 1000, ' ');
    client.server.chunk_bytes = 100;
    client.server.between = [&] { client.clock.time += std::chrono::seconds(1); };
    client.server.asked.clear();
    CHECK(
        client.rule().starts_with("network: asking https://tuf.example/repo for trusted_root.json: "
                                  "getting timestamp.json: "));
  }
}

TEST_CASE("key compromise below the threshold is of no use") {
  TufClient client;
  auto& repository = client.repository;
  const TestKey thief = TestKey::p256();
  SECTION("one of the two root keys that must sign") {
    repository.signers["root"] = {repository.root.keys[0], thief};
    ++repository.root.version;
    repository.timestamp.keys = {thief};
    repository.publish_root();
    CHECK(client.rule() == "signatures");
    CHECK(client.message() ==
          "asking https://tuf.example/repo for trusted_root.json: root.json, version 2 is signed "
          "by 1 "
          "of the keys that root.json, version 1, names for it; 2 must sign");
  }
  SECTION("the same key twice, under two names") {
    // A keyid is what the file says it is.
    const TestKey& stolen = repository.root.keys[0];
    auto root = nlohmann::json::parse(repository.files.at("1.root.json"));
    const std::string alias(64, 'a');
    root["signed"]["keys"][alias] = root["signed"]["keys"][keyid_of(stolen)];
    root["signed"]["roles"]["root"]["keyids"].push_back(alias);
    auto file =
        nlohmann::json::parse(sign_metadata(root["signed"], {stolen, repository.root.keys[1]}));
    client.known.root = file.dump();
    REQUIRE(client.rule() == "accepted");
    file["signed"]["version"] = 2;
    auto next = nlohmann::json::parse(sign_metadata(file["signed"], {stolen, stolen}));
    next["signatures"][1]["keyid"] = alias;
    repository.files["2.root.json"] = next.dump();
    CHECK(client.rule() == "signatures");
    CHECK(client.message().find("is signed by 1 of the keys") != std::string::npos);
  }
  SECTION("the old keys alone, once they were rotated away") {
    const auto old = repository.root.keys;
    repository.rotate([](TufRepository& r) { r.root.keys = {TestKey::p256(), TestKey::p256()}; });
    REQUIRE(client.rule() == "accepted");
    ++repository.root.version;
    repository.signers["root"] = old;
    repository.publish_root();
    CHECK(client.rule() == "signatures");
    CHECK(client.message().find("root.json, version 3 is signed by 0 of the keys that root.json, "
                                "version 2, names for it") != std::string::npos);
  }
  SECTION("a new root that its own keys did not sign") {
    repository.signers["root"] = repository.root.keys;
    repository.root.keys = {TestKey::p256(), TestKey::p256()};
    ++repository.root.version;
    repository.publish_root();
    CHECK(client.rule() == "signatures");
    CHECK(client.message().find("root.json, version 2 is signed by 0 of the keys that root.json, "
                                "version 2, names for it") != std::string::npos);
  }
  SECTION("a key of another role") {
    repository.signers["targets"] = {repository.timestamp.keys[0]};
    repository.publish_next();
    CHECK(client.rule() == "signatures");
    CHECK(client.message().find("targets.json, version 2 is signed by 0 of") != std::string::npos);
  }
  SECTION("the timestamp's, by a key that nobody named") {
    repository.signers["timestamp"] = {thief};
    repository.publish_next();
    CHECK(client.rule() == "signatures");
  }
  SECTION("the snapshot's") {
    repository.signers["snapshot"] = {thief};
    repository.publish_next();
    CHECK(client.rule() == "signatures");
  }
  SECTION("a bit of what was signed") {
    auto& text = repository.files["timestamp.json"];
    text.replace(text.find("2026-06-01"), 10, "2036-06-01");
    CHECK(client.rule() == "signatures");
  }
}

TEST_CASE("fast forward: versions that a thief ran up are forgotten with his keys") {
  TufClient client;
  auto& repository = client.repository;
  // Whoever has the online keys makes versions that nothing honest will ever pass.
  repository.timestamp.version = repository.snapshot.version = 1'000'000;
  repository.publish_snapshot();
  repository.publish_timestamp();
  REQUIRE(client.rule() == "accepted");
  repository.timestamp.version = repository.snapshot.version = 1;
  SECTION("not without other keys") {
    repository.publish_next();
    CHECK(client.rule() == "rollback");
  }
  SECTION("but with them") {
    repository.rotate([](TufRepository& r) {
      r.timestamp.keys = {TestKey::p256()};
      r.snapshot.keys = {TestKey::p256()};
    });
    repository.publish_next();
    CHECK(client.rule() == "accepted");
    CHECK(client.rule() == "accepted");
  }
  SECTION("also where one run saw the new root, and a later one the rest") {
    repository.rotate([](TufRepository& r) {
      r.timestamp.keys.push_back(TestKey::p256());
      r.snapshot.keys.push_back(TestKey::p256());
    });
    client.server.statuses["timestamp.json"] = 500;
    REQUIRE(client.rule().starts_with("network: "));
    client.server.statuses.clear();
    repository.publish_next();
    CHECK(client.rule() == "accepted");
  }
}
