#include <atomic>
#include <csignal>
#include <cstdlib>
#include <set>

#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "os/clock.hpp"
#include "os/file.hpp"
#include "os/parallel.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"

namespace seed::os {
namespace {

Command sh(const std::string& script, const std::string& input = {}) {
  return {.argv = {"sh", "-c", script}, .extra = {}, .unset = {}, .directory = {}, .input = input};
}

std::size_t entries(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST_CASE("an atomic write replaces a file, sets its mode and leaves nothing beside it") {
  const TempDir temp;
  const fs::path file = temp.path() / "f";
  const auto before = ::umask(077);
  atomic_write(file, "old");
  ::umask(before);
  CHECK(fs::status(file).permissions() == fs::perms{0644});
  atomic_write(file, "new", 0600);
  CHECK(read_file(file, 3) == "new");
  CHECK(fs::status(file).permissions() == fs::perms{0600});
  CHECK(entries(temp.path()) == 1);
}

TEST_CASE("an atomic write that fails leaves the old file and nothing beside it") {
  const TempDir temp;
  fs::create_directories(temp.path() / "folder" / "full");
  CHECK_THROWS_AS(atomic_write(temp.path() / "folder", "x"), Error);
  CHECK(entries(temp.path()) == 1);
  CHECK_THROWS_WITH(atomic_write("/nonexistent/x", "x"), Catch::Contains("No such file"));
}

TEST_CASE("a file is written, sought and read, and errors name it") {
  const TempDir temp;
  File file = File::create_new(temp.path() / "f");
  file.write(bytes_of("hello"));
  CHECK(file.size() == 5);
  file.seek(1);
  std::array<std::byte, 8> buffer;
  CHECK(file.read(buffer) == 4);
  CHECK(file.read(buffer) == 0);
  CHECK_THROWS_WITH(File::create_new(temp.path() / "f"),
                    "creating " + (temp.path() / "f").string() + ": File exists");
  CHECK_THROWS_WITH(File::open_read("/nonexistent"),
                    "opening /nonexistent: No such file or directory");
  CHECK_THROWS_AS(read_file(temp.path() / "f", 4), Error);
}

TEST_CASE("a tree with read-only folders and links is removed and links are not followed") {
  const TempDir temp;
  const fs::path kept = temp.path() / "kept";
  const fs::path tree = temp.path() / "tree";
  fs::create_directories(kept);
  atomic_write(kept / "f", "x");
  fs::create_directories(tree / "a" / "b");
  atomic_write(tree / "a" / "b" / "f", "x", 0400);
  fs::create_directory_symlink(kept, tree / "a" / "link");
  ::chmod((tree / "a" / "b").c_str(), 0500);
  ::chmod((tree / "a").c_str(), 0500);
  ::chmod(tree.c_str(), 0);
  remove_tree(tree);
  CHECK_FALSE(fs::exists(tree));
  CHECK(read_file(kept / "f", 10) == "x");
  fs::create_directory_symlink(kept, tree);
  remove_tree(tree);
  CHECK_FALSE(fs::is_symlink(tree));
  CHECK(fs::exists(kept / "f"));
  CHECK_NOTHROW(remove_tree(tree));
}

TEST_CASE("a tree deeper than a path can say is removed") {
  fs::path gone;
  {
    const TempDir temp;
    gone = temp.path();
    const std::string name(200, 'd');
    const fs::path before = fs::current_path();
    fs::current_path(gone);
    for (int depth = 0; depth < 40; ++depth) {
      REQUIRE(::mkdir(name.c_str(), 0700) == 0);
      REQUIRE(::chdir(name.c_str()) == 0);
    }
    fs::current_path(before);
  }
  CHECK_FALSE(fs::exists(gone));
}

TEST_CASE("a program gets its arguments, environment, folder and input") {
  SystemRunner runner;
  const TempDir temp;
  Command command = sh("printf '%s|' \"$1\" \"$A\" \"${HOME-none}\" \"$PWD\"; cat", "in\n");
  command.argv.insert(command.argv.end(), {"name", "a b'c"});
  command.extra = {{"A", "1"}};
  command.unset = {"HOME"};
  command.directory = temp.path();
  const Captured captured = capture(runner, command);
  CHECK(captured.exit.ok());
  CHECK(captured.out == "a b'c|1|none|" + temp.path().string() + "|in\n");
}

TEST_CASE("without input a program reads the end of it at once") {
  SystemRunner runner;
  CHECK(capture(runner, sh("cat; echo done")).out == "done\n");
}

TEST_CASE("large output on both streams comes whole") {
  SystemRunner runner;
  const Captured captured =
      capture(runner,
              sh("(head -c 3000000 /dev/zero | tr '\\0' e >&2) & head -c 5000000 "
                 "/dev/zero | tr '\\0' o; wait"));
  CHECK(captured.out == std::string(5'000'000, 'o'));
  CHECK(captured.err == std::string(64 << 10, 'e'));
}

TEST_CASE("large input goes through a program that answers as it reads") {
  SystemRunner runner;
  const std::string input(3'000'000, 'i');
  CHECK(capture(runner, sh("cat", input)).out == input);
}

TEST_CASE("a program that does not read its input does not hold us up or end us") {
  SystemRunner runner;
  const std::string input(3'000'000, 'i');
  CHECK(capture(runner, sh("exec <&-; echo hi", input)).out == "hi\n");
  CHECK(capture(runner, sh("exec >&- 2>&-; cat >/dev/null", "small")).exit.ok());
}

TEST_CASE("output beyond the limit is an error") {
  SystemRunner runner;
  CHECK_THROWS_WITH(capture(runner, sh("yes"), 100'000), "sh printed more than 97.7 KiB");
}

TEST_CASE("exit statuses and signals are told apart") {
  SystemRunner runner;
  CHECK(capture(runner, sh("exit 3")).exit.code == 3);
  CHECK(capture(runner, sh("kill -TERM $$")).exit.code == 128 + SIGTERM);
  CHECK(capture(runner, sh("kill -KILL $$")).exit.code == 128 + SIGKILL);
}

TEST_CASE("a program that is not there is an error that says what to install") {
  SystemRunner runner;
  try {
    capture(runner,
            {.argv = {"no-such-program"}, .extra = {}, .unset = {}, .directory = {}, .input = {}});
    FAIL();
  } catch (const Error& error) {
    CHECK(error.message() == "starting no-such-program: No such file or directory");
    CHECK(error.hint() == "install no-such-program or add it to PATH");
  }
}

TEST_CASE("a throw from a sink ends the program") {
  SystemRunner runner;
  CHECK_THROWS_AS(
      runner.run(
          sh("echo x; exec sleep 1000"), [](ByteView) { throw Error("enough"); }, [](ByteView) {}),
      Error);
}

TEST_CASE("a program that we start dies of a closed pipe as usual even where we ignore that") {
  SystemRunner runner;
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  const Captured captured =
      capture(runner, sh("(yes; echo $? >&2) 2>&1 >&- | cat; yes | head -n1"));
  std::signal(SIGPIPE, before);
  CHECK(captured.out.ends_with("y\n"));
}

TEST_CASE("a command is printed as a person would type it") {
  CHECK(to_shell({"nix", "build", ".#a", "", "it's"}) == "nix build '.#a' '' 'it'\\''s'");
}

TEST_CASE("a program is found in PATH or not at all") {
  const TempDir temp;
  atomic_write(temp.path() / "tool", "#!/bin/sh\n", 0755);
  atomic_write(temp.path() / "data", "", 0644);
  const Environment environment{{"PATH", "/nonexistent::" + temp.path().string()}};
  CHECK(find_program(environment, "tool") == temp.path() / "tool");
  fs::create_directory(temp.path() / "folder");
  CHECK_FALSE(find_program(environment, "folder").has_value());
  CHECK_FALSE(find_program(environment, "data").has_value());
  CHECK_FALSE(find_program(environment, "none").has_value());
  CHECK_FALSE(find_program({}, "tool").has_value());
  CHECK_FALSE(get({{"A", ""}}, "A").has_value());
}

TEST_CASE("every index runs once, whatever the number of threads") {
  const auto workers = GENERATE(0U, 1U, 3U, 64U);
  std::vector<std::atomic<int>> counts(1000);
  for_each_index(counts.size(), workers, [&](std::size_t i) { ++counts[i]; });
  for (const auto& count : counts) {
    REQUIRE(count == 1);
  }
  for_each_index(0, workers, [](std::size_t) { FAIL(); });
}

TEST_CASE("the first throw of a task stops the rest and comes back") {
  const auto workers = GENERATE(1U, 4U);
  std::atomic<int> ran{0};
  CHECK_THROWS_WITH(for_each_index(100'000,
                                   workers,
                                   [&](std::size_t i) {
                                     ++ran;
                                     if (i == 10) {
                                       throw Error("task 10");
                                     }
                                   }),
                    "task 10");
  CHECK(ran >= 11);
  CHECK(ran < 100'000);
}

TEST_CASE("a lock is exclusive") {
  const TempDir temp;
  const fs::path file = temp.path() / "lock";
  SystemRunner runner;
  const Command attempt = sh("flock -n '" + file.string() + "' true");
  {
    const FileLock lock(file);
    CHECK_FALSE(capture(runner, attempt).exit.ok());
  }
  CHECK(capture(runner, attempt).exit.ok());
}

TEST_CASE("the clock is of this century and sleeps as long as told") {
  SystemClock clock;
  const auto start = std::chrono::steady_clock::now();
  CHECK(clock.now() > Time(std::chrono::seconds(1'700'000'000)));
  clock.sleep(std::chrono::milliseconds(20));
  CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(20));
}

}  // namespace
}  // namespace seed::os
