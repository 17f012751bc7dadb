#include "nix/flake_lock.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::nix {
namespace {

std::string lock_of(const std::string& nodes, const std::string& version = "7") {
  return R"({"nodes":{)" + nodes + R"(},"root":"root","version":)" + version + "}";
}

std::string node(const std::string& name, const std::string& inputs) {
  return "\"" + name + R"(":{"locked":{"type":"path","path":"/x"},"inputs":{)" + inputs + "}}";
}

// GitHub's own hashFiles gave the first; the others are sha256sum | xxd -r -p | sha256sum.
TEST_CASE("the lock tag is what hashFiles gives for one file") {
  CHECK(lock_tag("{\"nodes\":{},\"root\":\"root\",\"version\":7}\n") ==
        "988904cb03cb3472709a32e21ae52165e7ceeff8bc86bf78609e1e4b5abc8ad6");
  CHECK(lock_tag(test::golden("nix/flake.lock")) ==
        "0dedee161ac334ded840081c50dc6b6beab70627145aacc6c2fbed2ac88deaf9");
  CHECK(lock_tag("") == "5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456");
}

// Expected values from Python's json.dumps(sort_keys=True, separators=(",", ":"),
// ensure_ascii=False) and hashlib.
TEST_CASE("the key is the hash of the canonical lock") {
  CHECK(lock_key(parse_flake_lock(test::golden("nix/flake.lock"))) ==
        "k-8d5ad592934e3834887a78317d34e21d");
}

TEST_CASE("seed-self and what only it reaches are not in the canonical lock") {
  const FlakeLock lock = parse_flake_lock(test::golden("nix/seed-self.lock"));
  CHECK(lock_key(lock) == "k-eacd29c7a6ae39078894866f79662520");
  CHECK(lock.canonical.find("seed") == std::string::npos);
  CHECK(lock.canonical.find(R"("inputs":{"dep":["dep"],"own":"dép"})") != std::string::npos);
  CHECK(lock.nodes.size() == 5);
}

TEST_CASE("a new revision of seed-self changes the tag and not the key") {
  const std::string before = test::golden("nix/seed-self.lock");
  std::string after = before;
  const std::string revision = "c2e59bd47da2513748410f015309d95e6f461660";
  after.replace(after.find(revision), 1, "d");
  CHECK(lock_tag(before) != lock_tag(after));
  CHECK(lock_key(parse_flake_lock(before)) == lock_key(parse_flake_lock(after)));
}

TEST_CASE("a new revision of another input changes the key") {
  std::string after = test::golden("nix/seed-self.lock");
  after.replace(after.find("3b5c8dc8"), 1, "4");
  CHECK(lock_key(parse_flake_lock(after)) != "k-eacd29c7a6ae39078894866f79662520");
}

TEST_CASE("the nodes of a lock are read") {
  const FlakeLock lock = parse_flake_lock(test::golden("nix/seed-self.lock"));
  CHECK(lock.version == 7);
  CHECK(lock.root == "root");
  const LockNode& dep = lock.nodes.at("dép");
  CHECK(dep.type == "github");
  CHECK(dep.reference == "example/dep");
  CHECK(dep.revision == "3b5c8dc84d698a663e3bb1c02bec54f214b6e3e2");
  CHECK(dep.nar_hash == "sha256-JXJWLZohkBMbEV7hSeEtDkfFFfT45EPTdng6Bt4zOzw=");
  CHECK(lock.nodes.at("app").reference == "https://example.org/app.tar.gz");
  CHECK(lock.nodes.at("app").revision.empty());
  CHECK(lock.nodes.at("only-seed").reference == "/srv/x");
  CHECK(std::get<std::string>(lock.nodes.at("app").inputs.at("own")) == "dép");
  CHECK(std::get<std::vector<std::string>>(lock.nodes.at("app").inputs.at("dep")) ==
        std::vector<std::string>{"dep"});
  CHECK(lock.nodes.at("root").nar_hash.empty());
}

TEST_CASE("two nodes may share an input") {
  CHECK_NOTHROW(
      parse_flake_lock(lock_of(R"("root":{"inputs":{"a":"a","b":"b"}},)" + node("a", R"("c":"c")") +
                               "," + node("b", R"("c":"c")") + "," + node("c", ""))));
}

TEST_CASE("versions 5 to 7 are read and no other") {
  for (const char* version : {"5", "6", "7"}) {
    CHECK_NOTHROW(parse_flake_lock(lock_of(R"("root":{})", version)));
  }
  CHECK_THROWS_WITH(parse_flake_lock(lock_of(R"("root":{})", "8")),
                    "flake.lock: version 8 is not known (5 to 7 are)");
  CHECK_THROWS_AS(parse_flake_lock(lock_of(R"("root":{})", "4")), FormatError);
  CHECK_THROWS_AS(parse_flake_lock(lock_of(R"("root":{})", "7.5")), FormatError);
  CHECK_THROWS_AS(parse_flake_lock(lock_of(R"("root":{})", "\"7\"")), FormatError);
}

TEST_CASE("a lock with one thing wrong is refused for that reason") {
  const auto [text, reason] = GENERATE(table<std::string, std::string>({
      {"", "flake.lock: the text ends in the middle of a JSON value (truncated?)"},
      {"{\"nodes\":{", "flake.lock: the text ends in the middle of a JSON value (truncated?)"},
      {"{\"nodes\":x}", "flake.lock: not JSON at byte 10"},
      {"[]", "flake.lock: expected an object, found array"},
      {"{}", "flake.lock: member 'version' is missing"},
      {R"({"version":7})", "flake.lock: member 'root' is missing"},
      {R"({"version":7,"root":1})", "flake.lock: member 'root' is not a string but number"},
      {R"({"version":7,"root":"root"})", "flake.lock: member 'nodes' is missing"},
      {lock_of(""), "flake.lock: root names node 'root', which is missing"},
      {lock_of(R"("root":{},"a":{})"), "flake.lock: node 'a': member 'locked' is missing"},
      {lock_of(R"("root":{},"a":{"locked":{}})"), "flake.lock: node 'a': member 'type' is missing"},
      {lock_of(R"("root":{"inputs":{"a":"b"}})"),
       "flake.lock: input 'a' of node 'root' names node 'b', which is missing"},
      {lock_of(R"("root":{"inputs":{"a":1}})"),
       "flake.lock: node 'root': input 'a' is neither a name nor a path"},
      {lock_of(R"("root":{"inputs":{"a":[1]}})"),
       "flake.lock: node 'root': input 'a' follows what is no name"},
      {lock_of(R"("root":{"inputs":{"r":"root"}})"),
       "flake.lock: the inputs of node 'root' lead back to it"},
      {lock_of(R"("root":{},)" + node("a", R"("b":"b")") + "," + node("b", R"("a":"a")")),
       "flake.lock: the inputs of node 'a' lead back to it"},
  }));
  CHECK_THROWS_WITH(parse_flake_lock(text), reason);
}

TEST_CASE("a deeply nested lock is refused and a long chain of nodes is not") {
  const std::string deep(100'000, '[');
  CHECK_THROWS_WITH(parse_flake_lock("{\"version\":" + deep),
                    "flake.lock: JSON is nested deeper than 256 levels");
  std::string chain = R"("root":{"inputs":{"n":"n0"}})";
  for (int i = 0; i < 20'000; ++i) {
    chain += "," + node("n" + std::to_string(i),
                        i < 19'999 ? "\"n\":\"n" + std::to_string(i + 1) + "\"" : "");
  }
  CHECK(parse_flake_lock(lock_of(chain)).nodes.size() == 20'001);
}

}  // namespace
}  // namespace seed::nix
