#include "os/git_objects.hpp"

#include "base/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"
#include "support/git_backend.hpp"
#include "support/need.hpp"

namespace seed::os {
namespace {

TEST_CASE("blobs, trees and commits have the names that git gives them") {
  if (!test::have_program("git")) {
    return;
  }
  const test::GitBackend backend;
  const TempDir temp;
  GitObjects objects(temp.path() / "git");
  const std::string blob = objects.add_blob("hello\n");
  CHECK(blob == "ce013625030ba8dba906f756967f9e9ca394464a");
  const std::vector<std::string> trees = objects.add_tree("", "a/b", blob);
  REQUIRE(trees.size() == 2);
  const std::string commit = objects.add_commit({.tree = trees.front(),
                                                 .parents = {},
                                                 .name = "nix-seed",
                                                 .email = "noreply@nix-seed.invalid",
                                                 .time = 1'795'190'000,
                                                 .message = "one\n\ntwo"});
  // Git itself takes the pack, finds nothing wrong in it, and reads what was written.
  const fs::path pack = temp.path() / "pack";
  atomic_write(pack, objects.pack({commit, trees[0], trees[1], blob}));
  SystemRunner runner;
  const Captured unpacked = capture(runner,
                                    {.argv = {"git", "unpack-objects", "-q", "--strict"},
                                     .extra = {},
                                     .unset = {},
                                     .directory = backend.repository(),
                                     .input = read_file(pack, 1 << 20)});
  INFO(unpacked.err);
  REQUIRE(unpacked.exit.ok());
  CHECK(backend.git(backend.repository(), {"rev-parse", commit + ":a/b"}) == blob);
  CHECK(backend.git(backend.repository(), {"log", "-1", "--format=%an %ae %ct %s %b", commit}) ==
        "nix-seed noreply@nix-seed.invalid 1795190000 one two");
  backend.git(backend.repository(), {"fsck", "--strict"});
}

TEST_CASE("a file is replaced and its neighbours and mode stay") {
  if (!test::have_program("git")) {
    return;
  }
  test::GitBackend backend;
  const std::string commit =
      backend.commit("main", {{"sub/flake.lock", "old"}, {"sub/x", "1"}, {"y", "2"}});
  const fs::path checkout = backend.check_out("main");
  const TempDir temp;
  GitObjects objects(temp.path() / "git");
  CHECK_FALSE(objects.has(commit));
  objects.read_also(checkout);
  REQUIRE(objects.has(commit));
  const GitObjects::Commit read = objects.commit(commit);
  CHECK(read.email == "t@example.org");
  CHECK(read.time == 1'795'190'000);
  CHECK(read.parents.empty());
  const auto entry = objects.find(read.tree, "sub/flake.lock");
  REQUIRE(entry.has_value());
  CHECK(entry->is_file);
  CHECK(objects.blob(entry->id, 3) == "old");
  CHECK_THROWS_AS(objects.blob(entry->id, 2), FormatError);
  CHECK_FALSE(objects.find(read.tree, "sub/none").has_value());
  CHECK_FALSE(objects.find(read.tree, "none/flake.lock").has_value());
  CHECK_FALSE(objects.find(read.tree, "sub")->is_file);

  const std::string blob = objects.add_blob("new");
  const auto trees = objects.add_tree(read.tree, "sub/flake.lock", blob);
  REQUIRE(trees.size() == 2);
  CHECK(objects.find(trees[0], "sub/flake.lock")->id == blob);
  CHECK(objects.find(trees[0], "sub/x")->id == objects.find(read.tree, "sub/x")->id);
  CHECK(objects.find(trees[0], "y")->id == objects.find(read.tree, "y")->id);
  CHECK(objects.add_tree(read.tree, "sub/flake.lock", entry->id).front() == read.tree);
  // Nothing was written to the checkout's own repository.
  CHECK_THROWS(backend.git(checkout, {"cat-file", "-e", blob}));
}

TEST_CASE("what is not here is an error, and no name is a name") {
  const TempDir temp;
  GitObjects objects(temp.path() / "git");
  const std::string none(40, 'a');
  CHECK_FALSE(objects.has(none));
  CHECK_THROWS_AS(objects.commit(none), Error);
  CHECK_THROWS_AS(objects.blob(none, 9), Error);
  CHECK_THROWS_AS(objects.has("HEAD"), FormatError);
  CHECK_THROWS_AS(objects.has(std::string(40, 'x')), FormatError);
  CHECK_THROWS_AS(
      objects.add_commit(
          {.tree = none, .parents = {"x\nparent y"}, .name = {}, .email = {}, .message = {}}),
      FormatError);
}

TEST_CASE("bytes that are no pack are refused") {
  const TempDir temp;
  GitObjects objects(temp.path() / "git");
  GitObjects::PackWriter writer(objects);
  CHECK_THROWS_AS(
      [&] {
        writer.write(bytes_of("PACK\0\0\0\2 this is none, however long it goes on and on"));
        writer.finish();
      }(),
      Error);
}

TEST_CASE("a history is packed whole, without what is there, and within a bound") {
  if (!test::have_program("git")) {
    return;
  }
  test::GitBackend backend;
  const std::string first = backend.commit("main", {{"a", "1"}});
  const std::string second = backend.commit("main", {{"b", "2"}});
  const std::string other = backend.commit("other", {{"c", "3"}});
  const TempDir temp;
  GitObjects objects(temp.path() / "git");
  objects.read_also(backend.repository());
  CHECK(objects.is_ancestor(first, second));
  CHECK(objects.is_ancestor(second, second));
  CHECK_FALSE(objects.is_ancestor(second, first));
  CHECK_FALSE(objects.is_ancestor(other, second));
  const std::string whole = objects.pack_history(second, "", 1 << 20);
  const std::string news = objects.pack_history(second, first, 1 << 20);
  CHECK(whole.substr(8, 4) == std::string("\0\0\0\6", 4));  // two commits, trees and files
  CHECK(news.substr(8, 4) == std::string("\0\0\0\3", 4));
  CHECK(objects.pack_history(second, "", whole.size()) == whole);
  CHECK_THROWS_WITH(objects.pack_history(second, "", whole.size() - 1),
                    "git: a pack of more than " + std::to_string(whole.size() - 1) + " bytes");
}

TEST_CASE("a clone without history has no whole history to pack") {
  if (!test::have_program("git")) {
    return;
  }
  test::GitBackend backend;
  backend.commit("main", {{"a", "1"}});
  const std::string second = backend.commit("main", {{"b", "2"}});
  const TempDir temp;
  GitObjects objects(temp.path() / "git");
  objects.read_also(backend.check_out("main"));
  CHECK_THROWS_AS(objects.pack_history(second, "", 1 << 20), Error);
}

}  // namespace
}  // namespace seed::os
