#include "nix/seed_self.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::nix {
namespace {

/// A lock whose seed-self has these `locked` and `original`.
std::string lock_of(const std::string& locked, const std::string& original) {
  return R"({"nodes":{"root":{"inputs":{"seed-self":"own"}},"own":{"flake":false,"locked":)" +
         locked + R"(,"original":)" + original + R"(}},"root":"root","version":7})";
}

// before.lock is by `nix flake lock`; after.lock by `nix flake lock --update-input seed-self`
// (2.8.0) and `nix flake update seed-self` (2.26.3, 2.34.8) when seed.json had changed. All three
// versions wrote the same bytes.
TEST_CASE("seed-self is moved to a commit by the bytes that Nix writes") {
  const Pin pin{.revision = "41dd5948d8ff67097cbeab1aef197d28293521dc",
                .nar_hash = "sha256-W/m/8EyEzrDB7tfyP1f8MCiSUEwNn84ycTxn+qhD7y0=",
                .last_modified = 1'795'191'000,
                .revision_count = 2};
  const std::string before = test::golden("nix/seed-self/before.lock");
  const std::string after = test::golden("nix/seed-self/after.lock");
  CHECK(with_seed_self(before, pin) == after);
  CHECK(with_seed_self(after, pin) == after);
  CHECK(lock_key(parse_flake_lock(before)) == lock_key(parse_flake_lock(after)));
}

TEST_CASE("a lock that Nix did not print is printed as Nix prints it") {
  const Pin pin{.revision = "41dd5948d8ff67097cbeab1aef197d28293521dc",
                .nar_hash = "sha256-W/m/8EyEzrDB7tfyP1f8MCiSUEwNn84ycTxn+qhD7y0=",
                .last_modified = 1'795'191'000,
                .revision_count = 2};
  std::string crlf;
  for (const char c : test::golden("nix/seed-self/before.lock")) {
    crlf += c == '\n' ? "\r\n" : std::string(1, c);
  }
  CHECK(with_seed_self(crlf, pin) == test::golden("nix/seed-self/after.lock"));
}

TEST_CASE("what a lock says of seed-self is read") {
  const auto found = find_seed_self(test::golden("nix/seed-self/after.lock"));
  REQUIRE(found.has_value());
  CHECK(found->node == "seed-self");
  CHECK(found->type == "git");
  CHECK(found->url == "file:///tmp/ss/r");
  CHECK(found->ref == "nix-seed");
  CHECK(found->revision == "41dd5948d8ff67097cbeab1aef197d28293521dc");
  CHECK(found->nar_hash == "sha256-W/m/8EyEzrDB7tfyP1f8MCiSUEwNn84ycTxn+qhD7y0=");
  CHECK(found->counts_revisions);
  CHECK_FALSE(found->is_flake);
}

TEST_CASE("repositories on hosts that Nix knows by name have their URL") {
  const auto url = [](const std::string& locked) {
    return find_seed_self(lock_of(locked, R"({"ref":"refs/heads/nix-seed"})"))->url;
  };
  CHECK(url(R"({"type":"github","owner":"Acme","repo":"app"})") == "https://github.com/Acme/app");
  CHECK(url(R"({"type":"github","owner":"a","repo":"b","host":"git.acme.test"})") ==
        "https://git.acme.test/a/b");
  CHECK(url(R"({"type":"gitlab","owner":"group%2Fsub","repo":"b"})") ==
        "https://gitlab.com/group/sub/b");
}

TEST_CASE("a github lock keeps its members and counts no revisions") {
  const std::string before =
      lock_of(R"({"lastModified":1,"narHash":"sha256-x","owner":"a","repo":"b",)"
              R"("rev":"c2e59bd47da2513748410f015309d95e6f461660","type":"github"})",
              R"({"owner":"a","ref":"nix-seed","repo":"b","type":"github"})");
  const std::string after = with_seed_self(before,
                                           {.revision = "41dd5948d8ff67097cbeab1aef197d28293521dc",
                                            .nar_hash = "sha256-y",
                                            .last_modified = 2,
                                            .revision_count = 9});
  CHECK(after == R"({
  "nodes": {
    "own": {
      "flake": false,
      "locked": {
        "lastModified": 2,
        "narHash": "sha256-y",
        "owner": "a",
        "repo": "b",
        "rev": "41dd5948d8ff67097cbeab1aef197d28293521dc",
        "type": "github"
      },
      "original": {
        "owner": "a",
        "ref": "nix-seed",
        "repo": "b",
        "type": "github"
      }
    },
    "root": {
      "inputs": {
        "seed-self": "own"
      }
    }
  },
  "root": "root",
  "version": 7
}
)");
}

TEST_CASE("a lock without seed-self has none, and none is made up") {
  const std::string lock = test::golden("nix/flake.lock");
  CHECK_FALSE(find_seed_self(lock).has_value());
  CHECK_THROWS_WITH(with_seed_self(lock, {}), "flake.lock: there is no input seed-self to write");
}

TEST_CASE("a folder may stand in for a seed-self that is no flake") {
  CHECK(locks_plain_seed_self(test::golden("nix/seed-self/after.lock")));
  CHECK(locks_plain_seed_self(lock_of(R"({"type":"path","path":"/x"})", "{}")));
  CHECK_FALSE(locks_plain_seed_self(
      R"({"nodes":{"root":{"inputs":{"seed-self":"x"}},"x":{"locked":{"type":"path"}}},)"
      R"("root":"root","version":7})"));
  CHECK_FALSE(locks_plain_seed_self(test::golden("nix/flake.lock")));
}

TEST_CASE("a seed-self that can't hold a record is refused for that reason") {
  CHECK_THROWS_WITH(find_seed_self(lock_of(R"({"type":"path","path":"/x"})", "{}")),
                    "flake.lock: seed-self is of type 'path'");
  CHECK_THROWS_WITH(find_seed_self(lock_of(R"({"type":"git","url":"u","rev":"x"})", "{}")),
                    "flake.lock: seed-self is at 'x', which is no commit");
  CHECK_THROWS_WITH(
      find_seed_self(
          R"({"nodes":{"root":{"inputs":{"seed-self":["a"]}}},"root":"root","version":7})"),
      "flake.lock: seed-self follows another input");
  CHECK_THROWS_WITH(find_seed_self(lock_of(R"({"type":"git","url":"u"})", "7")),
                    "flake.lock: node 'own': expected an object, found number");
}

TEST_CASE("the line to add to flake.nix names the project's own branch") {
  CHECK(seed_self_declaration("https://github.com/acme/app") ==
        R"(inputs.seed-self = { url = "github:acme/app/nix-seed"; flake = false; };)");
  CHECK(
      seed_self_declaration("https://git.acme.test/a/b") ==
      R"(inputs.seed-self = { url = "git+https://git.acme.test/a/b?ref=nix-seed"; flake = false; };)");
}

}  // namespace
}  // namespace seed::nix
