#include "sigstore/tuf.hpp"

#include "sigstore/embedded.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "tuf_client.hpp"

using namespace seed;
using namespace seed::test;
using namespace seed::sigstore;
using nlohmann::json;

TEST_CASE("Sigstore's own roots follow one another by our rules") {
  const tuf::Root v14 = tuf::first_root(checkout_file("tests/data/tuf/14.root.json"));
  CHECK(v14.file.version == 14);
  const tuf::Root v15 = tuf::next_root(v14, checkout_file("tests/data/tuf/15.root.json"));
  CHECK(to_rfc3339(v15.file.expires) == "2026-11-20T13:58:18Z");
  const tuf::Root v16 = tuf::next_root(v15, embedded::kRoot);
  CHECK(v16.file.version == 16);
  CHECK(to_rfc3339(v16.file.expires) == "2027-04-22T19:27:31Z");
  CHECK(v16.roles.at("root").threshold == 3);
  CHECK(v16.roles.at("root").keyids.size() == 5);
  CHECK(v16.consistent_snapshot);
  CHECK(rule_of([&] { tuf::next_root(v14, embedded::kRoot); }) == "version");
}

TEST_CASE("a target is found by a chain of signatures, and no more is asked for than has changed") {
  TufClient client;
  CHECK(client.refresh() == "the trusted root, version 1");
  const std::string hash = Digest::of("the trusted root, version 1").hex();
  CHECK(client.server.asked == std::vector<std::string>{"2.root.json",
                                                        "timestamp.json",
                                                        "1.snapshot.json",
                                                        "1.targets.json",
                                                        "targets/" + hash + ".trusted_root.json"});
  CHECK(client.refresh() == "the trusted root, version 1");
  CHECK(client.server.asked == std::vector<std::string>{"2.root.json", "timestamp.json"});
  client.repository.contents["trusted_root.json"] = "another";
  client.repository.publish_next();
  CHECK(client.refresh() == "another");
}

TEST_CASE("roots are followed one by one, each by both thresholds") {
  TufClient client;
  auto& repository = client.repository;
  repository.rotate([](TufRepository& r) {
    r.root.keys[0] = TestKey::p384();
    r.root.threshold = 3;
  });
  repository.rotate([](TufRepository& r) { r.root.keys[1] = TestKey::ed25519(); });
  CHECK(client.refresh() == "the trusted root, version 1");
  CHECK(client.server.asked[0] == "2.root.json");
  CHECK(client.server.asked[1] == "3.root.json");
  CHECK(client.server.asked[2] == "4.root.json");
  CHECK(client.refresh() == "the trusted root, version 1");
  CHECK(client.server.asked[0] == "4.root.json");
}

TEST_CASE("storage that says 403 of what it does not have is at its last root, too") {
  TufClient client;
  client.server.statuses["2.root.json"] = 403;
  CHECK(client.rule() == "accepted");
}

TEST_CASE("a repository without consistent snapshots is read by plain names") {
  TufClient client;
  auto& repository = client.repository;
  repository.files.clear();
  repository.consistent = false;
  repository.publish_root();
  client.known.root = repository.root_text();
  repository.publish_targets();
  repository.publish_snapshot();
  repository.publish_timestamp();
  CHECK(client.refresh() == "the trusted root, version 1");
  CHECK(client.server.asked == std::vector<std::string>{"2.root.json",
                                                        "timestamp.json",
                                                        "snapshot.json",
                                                        "targets.json",
                                                        "targets/trusted_root.json"});
}

TEST_CASE("the repository is not asked again before max_age, and after it is") {
  TufClient client;
  using namespace std::chrono_literals;
  const auto find = [&] {
    client.server.asked.clear();
    return tuf::find_target(client.server, client.clock, client.known, "trusted_root.json", 24h);
  };
  CHECK(find().checked == client.clock.time);
  CHECK(client.server.asked.size() == 5);
  client.clock.time += 24h - 1s;
  CHECK(find().bytes == "the trusted root, version 1");
  CHECK(client.server.asked.empty());
  client.clock.time += 1s;
  find();
  CHECK(client.server.asked.size() == 2);
  SECTION("nor where it was asked in the future") {
    client.clock.time -= 1h;
    find();
    CHECK(client.server.asked.size() == 2);
  }
  SECTION("nor where what it said has expired") {
    client.clock.time = parse_rfc3339("2026-06-01T00:00:00Z") - 1s;
    find();
    client.clock.time += 1s;
    CHECK(rule_of(find) == "expiry");
    CHECK(client.server.asked.size() == 1);  // the root is where it ends
  }
}

TEST_CASE("the cache alone says what it knows, and until when") {
  TufClient client;
  const auto known = [&] { return tuf::known_target(client.known, "trusted_root.json"); };
  CHECK_FALSE(known().found);
  CHECK_FALSE(known().anything);
  client.repository.timestamp.expires = "2026-05-08T00:00:00Z";
  client.repository.publish_next();
  client.refresh();
  REQUIRE(known().found);
  CHECK(known().found->bytes == "the trusted root, version 1");
  CHECK(known().found->checked == client.clock.time);
  CHECK(to_rfc3339(known().found->expires) == "2026-05-08T00:00:00Z");
  SECTION("when the repository can't be reached nothing is lost") {
    client.server.down = true;
    CHECK(client.rule().starts_with("network: "));
    CHECK(known().found);
  }
  SECTION("nor when it stops half-way") {
    client.repository.contents["trusted_root.json"] = "another";
    client.repository.publish_next();
    client.server.statuses["3.targets.json"] = 500;
    CHECK(client.rule() ==
          "network: asking https://tuf.example/repo for trusted_root.json: getting 3.targets.json: "
          "https://tuf.example/repo/3.targets.json answered 500");
    CHECK(known().found->bytes == "the trusted root, version 1");
  }
  SECTION("nor when it is asked for what it does not have") {
    CHECK(rule_of([&] { client.refresh("other.json"); }) == "missing");
    CHECK(known().found);
    CHECK_FALSE(tuf::known_target(client.known, "other.json").found);
  }
}

TEST_CASE("without a cache everything is asked for each time") {
  TufClient client;
  client.known.cache.clear();
  client.refresh();
  client.refresh();
  CHECK(client.server.asked.size() == 5);
  CHECK_FALSE(tuf::known_target(client.known, "trusted_root.json").anything);
}

TEST_CASE("a cache that somebody changed counts for nothing") {
  TufClient client;
  auto& repository = client.repository;
  repository.rotate([](TufRepository&) {});
  repository.publish_next();
  client.refresh();
  const auto cache = client.known.cache;
  const auto known = [&] { return tuf::known_target(client.known, "trusted_root.json"); };
  const auto change = [&](const std::string& name, const std::function<void(json&)>& how) {
    json file = json::parse(os::read_file(cache / name, 1 << 20));
    how(file);
    os::atomic_write(cache / name, file.dump());
  };
  REQUIRE(known().found);
  SECTION("the timestamp's expiry") {
    change("state.json", [](json& state) {
      auto text = state["timestamp"].get<std::string>();
      text.replace(text.find("2026-06-01"), 10, "2036-06-01");
      state["timestamp"] = text;
    });
  }
  SECTION("the targets of another") {
    TufRepository other;
    change("state.json", [&](json& state) { state["targets"] = other.files["1.targets.json"]; });
  }
  SECTION("no JSON") {
    os::atomic_write(cache / "state.json", "{");
  }
  SECTION("no file") {
    std::filesystem::remove(cache / "state.json");
    std::filesystem::create_directory(cache / "state.json");
  }
  SECTION("the target") {
    const std::string hash = Digest::of("the trusted root, version 1").hex();
    os::atomic_write(cache / ("target-" + hash), "the trusted root, version 9");
  }
  CHECK_FALSE(known().found);
  CHECK(known().anything);
  std::error_code code;
  if (std::filesystem::is_directory(cache / "state.json", code)) {
    std::filesystem::remove(cache / "state.json");
  }
  CHECK(client.refresh() == "the trusted root, version 1");
  CHECK(known().found);
}

TEST_CASE("a cached root that does not follow is asked for anew") {
  TufClient client;
  client.repository.rotate([](TufRepository&) {});
  client.refresh();
  TufRepository other;
  other.rotate([](TufRepository&) {});
  os::atomic_write(client.known.cache / "2.root.json", other.files["2.root.json"]);
  CHECK(client.refresh() == "the trusted root, version 1");
  CHECK(client.server.asked[0] == "2.root.json");
}
