#include "nix/nar.hpp"

#include <filesystem>
#include <fstream>
#include <limits>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"
#include "support/need.hpp"

namespace seed::nix {
namespace {

namespace fs = std::filesystem;

std::string nar_hash(const fs::path& path) {
  NarHasher hasher;
  visit_tree(path, hasher);
  return to_nix32(hasher.finish().hash.raw());
}

void write(const fs::path& path, const std::string& text) {
  os::File::create(path).write(bytes_of(text));
}

/// A tree with what the format has: names that locales sort differently, modes, links, empty
/// files and folders, sizes around the padding.
void make_tree(const fs::path& root) {
  fs::create_directories(root / "dir" / "empty");
  for (const char* name : {"a", "B", "a.b", "a-b", "ä", "Z", "_", "a b"}) {
    write(root / name, name);
  }
  for (std::size_t size : {0, 1, 7, 8, 9, 16, 65'535, 65'536, 65'537, 3'000'001}) {
    write(root / "dir" / ("size" + std::to_string(size)), std::string(size, 'x'));
  }
  write(root / "run", "#!/bin/sh\n");
  fs::permissions(root / "run", fs::perms::owner_all);
  write(root / "group-run", "");
  ::chmod((root / "group-run").c_str(), 0654);
  fs::create_symlink("../nowhere", root / "dir" / "link");
  fs::create_symlink("dir", root / "to-dir");
}

// nix-hash --type sha256 --base32 of the same trees (Nix 2.8.0)
TEST_CASE("the NAR hash of a file, a link and an empty folder is what nix-hash gives") {
  const os::TempDir temp;
  write(temp.path() / "file", "hello\n");
  fs::create_symlink("/nowhere", temp.path() / "link");
  fs::create_directory(temp.path() / "dir");
  CHECK(nar_hash(temp.path() / "file") == "04zwf782yjwnh3q6hz5izfd6jyip8kgw6g6yj43fiqhbyhdd0dqw");
  CHECK(nar_hash(temp.path() / "link") == "17i924lkdn0b9kk9pvdzqbp52qsvfnr0z5lj2crkyq0a5wak2xc2");
  CHECK(nar_hash(temp.path() / "dir") == "0sjjj9z1dhilhpc8pq4154czrb79z9cm044jvn75kxcjv6v5l2m5");
}

TEST_CASE("the NAR size counts every byte of the archive") {
  const os::TempDir temp;
  write(temp.path() / "file", "hello\n");
  NarHasher hasher;
  visit_tree(temp.path() / "file", hasher);
  CHECK(hasher.finish().size_bytes == 120);
}

TEST_CASE("the NAR hash of a tree of everything is what nix-hash gives") {
  const os::TempDir temp;
  make_tree(temp.path() / "tree");
  CHECK(nar_hash(temp.path() / "tree") == "0gfbcd03nc8l3y9pl7jvyj4aq57gkcrvgr3cs1sj2nxscp2ybasl");
  if (!test::have_program("nix-hash")) {
    return;
  }
  os::SystemRunner runner;
  const auto real = os::capture(
      runner,
      {.argv = {"nix-hash", "--type", "sha256", "--base32", (temp.path() / "tree").string()},
       .extra = {},
       .unset = {},
       .directory = {},
       .input = {}});
  CHECK(real.out == nar_hash(temp.path() / "tree") + "\n");
}

TEST_CASE("a hasher starts anew after finish") {
  const os::TempDir temp;
  write(temp.path() / "file", "hello\n");
  NarHasher hasher;
  visit_tree(temp.path() / "file", hasher);
  const auto first = hasher.finish();
  CHECK_THROWS_WITH(hasher.finish(), "hashing a tree: nothing was visited");
  visit_tree(temp.path() / "file", hasher);
  CHECK(hasher.finish().hash == first.hash);
}

TEST_CASE("a file whose bytes are not as many as announced is an error") {
  NarHasher hasher;
  hasher.begin_file("", false, 2);
  CHECK_THROWS_AS(hasher.file_data(bytes_of("abc")), Error);
  hasher.file_data(bytes_of("a"));
  CHECK_THROWS_AS(hasher.end_file(), Error);
}

/// Writes down what it sees; may change the file that it is told of.
class Recorder final : public TreeVisitor {
 public:
  std::string seen;
  std::function<void()> on_file = [] {};

  void enter_directory(std::string_view path) override { note("enter", path); }

  void leave_directory(std::string_view path) override { note("leave", path); }

  void symlink(std::string_view path, std::string_view target) override {
    note("link", std::string(path) + ">" + std::string(target));
  }

  void begin_file(std::string_view path, bool executable, std::uint64_t size_bytes) override {
    note(executable ? "exec" : "file", std::string(path) + "=" + std::to_string(size_bytes));
    on_file();
  }

  void file_data(ByteView chunk) override { seen += text_of(chunk); }

  void end_file() override { seen += ";"; }

 private:
  void note(std::string_view what, std::string_view path) {
    seen += "[" + std::string(what) + " " + std::string(path) + "]";
  }
};

TEST_CASE("a tree is seen in NAR order with paths below its root") {
  const os::TempDir temp;
  const fs::path root = temp.path() / "t";
  fs::create_directories(root / "b" / "c");
  write(root / "b" / "c" / "x", "1");
  write(root / "b.", "2");
  write(root / "B", "3");
  ::chmod((root / "B").c_str(), 0500);
  fs::create_symlink("y", root / "b" / "l");
  Recorder recorder;
  visit_tree(root, recorder);
  CHECK(recorder.seen ==
        "[enter ][exec B=1]3;[enter b][enter b/c][file b/c/x=1]1;[leave b/c][link b/l>y][leave b]"
        "[file b.=1]2;[leave ]");
}

TEST_CASE("the root of a tree may be a link, and it is not followed") {
  const os::TempDir temp;
  fs::create_symlink("/etc", temp.path() / "l");
  Recorder recorder;
  visit_tree(temp.path() / "l", recorder);
  CHECK(recorder.seen == "[link >/etc]");
}

TEST_CASE("a file that changes its size while it is read is an error") {
  const os::TempDir temp;
  const fs::path file = temp.path() / "f";
  write(file, "12345678");
  Recorder recorder;
  recorder.on_file = [&] { fs::resize_file(file, 3); };
  CHECK_THROWS_WITH(visit_tree(file, recorder), file.string() + " shrank while it was read");
  recorder.on_file = [&] { fs::resize_file(file, 300); };
  CHECK_THROWS_WITH(visit_tree(file, recorder), file.string() + " grew while it was read");
}

TEST_CASE("pipes and sockets are errors that name them") {
  const os::TempDir temp;
  const fs::path pipe = temp.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  Recorder recorder;
  CHECK_THROWS_WITH(visit_tree(temp.path(), recorder),
                    pipe.string() + " is neither a file, a folder nor a link");
  fs::remove(pipe);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (temp.path() / "sock").string().copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  ::close(fd);
  CHECK_THROWS_WITH(visit_tree(temp.path(), recorder),
                    (temp.path() / "sock").string() + " is neither a file, a folder nor a link");
}

TEST_CASE("a tree that is not there is an error that names it") {
  Recorder recorder;
  CHECK_THROWS_WITH(visit_tree("/nonexistent/x", recorder),
                    "reading /nonexistent/x: No such file or directory");
}

TEST_CASE("a link may have the longest target there is") {
  const os::TempDir temp;
  const std::string target(4095, 'x');
  fs::create_symlink(target, temp.path() / "l");
  Recorder recorder;
  visit_tree(temp.path() / "l", recorder);
  CHECK(recorder.seen == "[link >" + target + "]");
}

TEST_CASE("folders may be nested deeper than a path can say") {
  const os::TempDir temp;
  const std::string name(200, 'd');
  int depth = 0;
  const fs::path before = fs::current_path();
  fs::current_path(temp.path());
  for (; depth < 40; ++depth) {
    REQUIRE(::mkdir(name.c_str(), 0700) == 0);
    REQUIRE(::chdir(name.c_str()) == 0);
  }
  fs::current_path(before);
  NarHasher hasher;
  CHECK_NOTHROW(visit_tree(temp.path(), hasher));
}

}  // namespace
}  // namespace seed::nix
