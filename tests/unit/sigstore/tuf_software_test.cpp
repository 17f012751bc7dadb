#include "base/digest.hpp"
#include "support/catch.hpp"
#include "tuf_client.hpp"

using namespace seed;
using namespace seed::test;

// The attacks that The Update Framework names (TUF 1.0.33 §1.5.2) which aim at what is installed;
// tuf_attacks_test.cpp has those on metadata, transport and keys.

TEST_CASE("arbitrary software: a target that is not the one that was signed is refused") {
  TufClient client;
  auto& files = client.repository.files;
  const std::string name =
      "targets/" + Digest::of("the trusted root, version 1").hex() + ".trusted_root.json";
  SECTION("of the same length") {
    files[name] = "the trusted root, version 9";
    CHECK(client.rule() == "hash");
    CHECK(
        client.message() ==
        "asking https://tuf.example/repo for trusted_root.json: the target trusted_root.json does "
        "not have the SHA-256 that was signed");
  }
  SECTION("shorter") {
    files[name] = "the trusted root, version ";
    CHECK(client.rule() == "length");
    CHECK(client.message() ==
          "asking https://tuf.example/repo for trusted_root.json: the target trusted_root.json has "
          "26 "
          "bytes; 27 were signed");
  }
  SECTION("longer: no more is read than was signed") {
    files[name] += "!";
    CHECK(client.rule() == "length");
  }
  SECTION("with a SHA-512 that does not fit") {
    const std::string hash(128, 'a');
    client.repository.patches["targets"]["targets"]["trusted_root.json"]["hashes"]["sha512"] = hash;
    client.repository.publish_next();
    CHECK(client.rule() == "hash");
  }
  SECTION("that nobody signed for") {
    CHECK(rule_of([&] { client.refresh("other.json"); }) == "missing");
  }
  CHECK(client.repository.files.size() >= 5);
  CHECK_FALSE(sigstore::tuf::known_target(client.known, "trusted_root.json").found);
}

TEST_CASE("wrong software: a target that was signed under another name is refused") {
  TufClient client;
  auto& repository = client.repository;
  repository.contents["other.json"] = "the trusted root, of others";  // as long as ours
  repository.publish_next();
  const auto place = [](std::string_view content, const std::string& name) {
    return "targets/" + Digest::of(content).hex() + "." + name;
  };
  auto& files = repository.files;
  files[place("the trusted root, version 1", "trusted_root.json")] =
      files.at(place("the trusted root, of others", "other.json"));
  CHECK(client.rule() == "hash");
  CHECK(client.refresh("other.json") == "the trusted root, of others");
}

TEST_CASE("extraneous software: nothing is asked for but the target that is wanted") {
  TufClient client;
  client.repository.contents["more.json"] = "something that nobody wants";
  client.repository.publish_next();
  client.refresh();
  std::size_t targets = 0;
  for (const std::string& name : client.server.asked) {
    targets += name.find("targets/") != std::string::npos ? 1 : 0;
    CHECK(name.find("more.json") == std::string::npos);
  }
  CHECK(targets == 1);
}
