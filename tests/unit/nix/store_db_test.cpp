#include "nix/store_db.hpp"

#include <filesystem>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/need.hpp"

namespace seed::nix {
namespace {

namespace fs = std::filesystem;

StorePath numbered(std::size_t n) {
  constexpr std::string_view kDigits = "0123456789abcdfghijklmnpqrsvwxyz";
  std::string hash(32, '0');
  for (std::size_t at = 0; n > 0; n /= 32) {
    hash[at++] = kDigits[n % 32];
  }
  return StorePath::from_base_name(hash + "-p");
}

/// Path n refers to itself and to eight paths of lower number.
Closure synthetic(std::size_t count) {
  std::vector<PathInfo> paths;
  for (std::size_t n = 0; n < count; ++n) {
    PathInfo info{.path = numbered(n),
                  .nar_hash = Digest::of(std::to_string(n)),
                  .nar_size = n + 1,
                  .references = {numbered(n)}};
    for (std::size_t k = 1; k <= 8 && n > 0; ++k) {
      info.references.insert(numbered(k == 1 ? n - 1 : n * k / 9));
    }
    paths.push_back(std::move(info));
  }
  return make_closure(std::move(paths));
}

Closure golden_closure() {
  return make_closure(parse_registration(test::golden("nix/2.34.8/dump-db.txt")));
}

/// A state folder as Nix has it, with `closure` in it.
void make_state(const fs::path& state, const Closure& closure) {
  fs::create_directories(state / "db");
  os::atomic_write(state / "db" / "schema", kStoreSchema);
  write_store_database(state / "db" / "db.sqlite", closure);
}

std::optional<PathInfo> query(StoreDatabase& database, const StorePath& path) {
  return database.query({&path, 1}).at(0);
}

os::Command command(std::vector<std::string> argv) {
  return {.argv = std::move(argv), .extra = {}, .unset = {}, .directory = {}, .input = {}};
}

TEST_CASE("what was written to a database is read from it") {
  const os::TempDir temp;
  const Closure closure = golden_closure();
  make_state(temp.path(), closure);
  const auto database = open_store_database(temp.path());
  for (const PathInfo& info : closure.paths()) {
    CHECK(query(*database, info.path) == info);
  }
  CHECK_FALSE(query(*database, numbered(7)).has_value());
}

TEST_CASE("many paths are read at once, in the order asked for") {
  const os::TempDir temp;
  const Closure closure = golden_closure();
  make_state(temp.path(), closure);
  const std::vector wanted{closure.paths()[1].path, numbered(7), closure.paths()[0].path};
  const auto infos = open_store_database(temp.path())->query(wanted);
  REQUIRE(infos.size() == 3);
  CHECK(infos[0] == closure.paths()[1]);
  CHECK_FALSE(infos[1].has_value());
  CHECK(infos[2] == closure.paths()[0]);
}

TEST_CASE("the closure of a path holds what it reaches and nothing else") {
  const os::TempDir temp;
  make_state(temp.path(), golden_closure());
  const std::vector roots{StorePath::parse("/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-app"),
                          StorePath::parse("/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-app")};
  const Closure closure = open_store_database(temp.path())->closure(roots);
  REQUIRE(closure.paths().size() == 2);
  CHECK(closure.paths()[0].path == roots[0]);
  CHECK(closure.paths()[0].references.size() == 2);
  CHECK(closure.paths()[1].path.name() == "lib");
  CHECK(open_store_database(temp.path())->closure({}).paths().empty());
}

TEST_CASE("a root that is not valid is an error that names it") {
  const os::TempDir temp;
  make_state(temp.path(), golden_closure());
  const std::vector roots{numbered(7)};
  CHECK_THROWS_WITH(open_store_database(temp.path())->closure(roots),
                    numbered(7).to_string() + " is not valid in this store");
}

TEST_CASE("one closure gives one database, byte for byte") {
  const os::TempDir temp;
  const auto before = ::umask(077);
  write_store_database(temp.path() / "a", synthetic(300));
  ::umask(before);
  write_store_database(temp.path() / "b", synthetic(300));
  const std::string bytes = os::read_file(temp.path() / "a", 1 << 20);
  CHECK(bytes == os::read_file(temp.path() / "b", 1 << 20));
  CHECK(fs::status(temp.path() / "a").permissions() == fs::perms{0644});
  CHECK(std::distance(fs::directory_iterator(temp.path()), fs::directory_iterator()) == 2);
}

TEST_CASE("writing replaces what was there") {
  const os::TempDir temp;
  os::atomic_write(temp.path() / "db", "junk");
  write_store_database(temp.path() / "db", synthetic(1));
  CHECK(os::read_file(temp.path() / "db", 1 << 20).starts_with("SQLite format 3"));
}

TEST_CASE("an unknown schema, a missing database and one of junk are errors") {
  const os::TempDir temp;
  CHECK_THROWS_WITH(open_store_database(temp.path()), Catch::Contains("No such file"));
  make_state(temp.path(), synthetic(1));
  os::atomic_write(temp.path() / "db" / "schema", "11");
  CHECK_THROWS_WITH(open_store_database(temp.path()),
                    Catch::Contains("schema '11' is not known (10 is)"));
  os::atomic_write(temp.path() / "db" / "schema", "10\n");
  CHECK_NOTHROW(open_store_database(temp.path()));
  os::atomic_write(temp.path() / "db" / "db.sqlite", std::string(8192, 'x'));
  CHECK_THROWS_WITH(open_store_database(temp.path()), Catch::Contains("not a database"));
  fs::remove(temp.path() / "db" / "db.sqlite");
  CHECK_THROWS_WITH(open_store_database(temp.path()), Catch::Contains("unable to open"));
}

TEST_CASE("a closure of thousands of paths is read whole") {
  const os::TempDir temp;
  const Closure expected = synthetic(2'000);
  make_state(temp.path(), expected);
  const std::vector roots{numbered(1'999)};
  CHECK(open_store_database(temp.path())->closure(roots).paths() == expected.paths());
}

/// Runs `script` in a mount namespace of its own, with `nix_root` at /nix.
os::Captured in_private_nix(const fs::path& nix_root, const std::string& script) {
  os::SystemRunner runner;
  os::Command unshare = command({"unshare",
                                 "-m",
                                 "--propagation",
                                 "private",
                                 "sh",
                                 "-ec",
                                 "mount --bind \"$0\" /nix\n" + script,
                                 nix_root.string()});
  unshare.extra = {{"NIX_CONFIG", "build-users-group =\nsandbox = false\nsubstituters =\n"},
                   {"HOME", nix_root.string()}};
  return os::capture(runner, unshare);
}

TEST_CASE("Nix itself works with the database we write") {
  if (!test::have_private_nix()) {
    return;
  }
  const os::TempDir temp;
  const Closure closure = synthetic(50);
  make_state(temp.path() / "var" / "nix", closure);
  for (const PathInfo& info : closure.paths()) {
    fs::create_directories(temp.path() / "store" / info.path.base_name());
  }
  const auto real = in_private_nix(temp.path(),
                                   "nix-store --query --requisites " + numbered(49).to_string() +
                                       " | sort\nnix-store --verify\n"
                                       "nix-store --dump-db > $0/dump\n"
                                       "nix-store --delete " +
                                       numbered(49).to_string() +
                                       " >/dev/null\n"
                                       "echo new > $0/new; nix-store --add $0/new");
  std::string expected;
  for (const PathInfo& info : closure.paths()) {
    expected += info.path.to_string() + "\n";
  }
  INFO(real.err);
  CHECK(real.exit.ok());
  // printf 'new\n' > new; nix-store --add new
  CHECK(real.out == expected + "/nix/store/pccrzbb4synks8r40skjf73q3x17adfh-new\n");
  CHECK(real.err.find("error") == std::string::npos);
  CHECK(os::read_file(temp.path() / "dump", 1 << 20) == registration(closure));
  const auto after = open_store_database(temp.path() / "var" / "nix");
  CHECK_FALSE(query(*after, numbered(49)).has_value());
  CHECK(query(*after, numbered(48)).has_value());
}

TEST_CASE("our schema has every table, index and trigger of the database Nix makes") {
  if (!test::have_private_nix() || !test::have_program("sqlite3")) {
    return;
  }
  const os::TempDir temp;
  REQUIRE(in_private_nix(temp.path(), "nix-store --init").exit.ok());
  write_store_database(temp.path() / "ours", Closure());
  os::SystemRunner runner;
  // Without comments, case and white space, and by name: the order in the file has no meaning.
  const auto schema = [&](const fs::path& file) {
    const std::string script =
        "sqlite3 -newline '' \"$0\" \"select type, name, tbl_name, sql || ';' from sqlite_master "
        "order by type desc, name desc\" | sed 's/--.*//' | tr A-Z a-z | tr -d ' \\n'";
    return os::capture(runner, command({"sh", "-c", script, file.string()})).out;
  };
  const std::string real = schema(temp.path() / "var" / "nix" / "db" / "db.sqlite");
  CHECK(real.find("createtablevalidpaths(") != std::string::npos);
  CHECK(schema(temp.path() / "ours") == real);
  CHECK(os::read_file(temp.path() / "var" / "nix" / "db" / "schema", 64) == kStoreSchema);
}

/// Runs `step` in a child process as the user nobody; its exit status.
template <class Step>
int as_nobody(Step&& step) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setgid(65534) != 0 || ::setuid(65534) != 0) {
      ::_exit(99);
    }
    ::_exit(step());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 98;
}

TEST_CASE("a user who may not write beside the database reads it unless there is a log") {
  if (!test::have_root("to become another user") || !test::have_program("sqlite3")) {
    return;
  }
  const os::TempDir temp;
  ::chmod(temp.path().c_str(), 0755);
  const Closure expected = synthetic(20);
  make_state(temp.path(), expected);
  os::SystemRunner runner;
  const fs::path file = temp.path() / "db" / "db.sqlite";
  // As Nix leaves it: in WAL mode, no -wal and no -shm.
  os::capture(runner, command({"sqlite3", file.string(), "pragma journal_mode = wal"}));
  const auto read = [&] {
    try {
      const std::vector roots{numbered(19)};
      return open_store_database(temp.path())->closure(roots).paths() == expected.paths() ? 0 : 1;
    } catch (const Error& error) {
      return error.message().find("being written to") != std::string::npos ? 7 : 8;
    }
  };
  CHECK(as_nobody(read) == 0);
  os::atomic_write(file.string() + "-wal", "not empty");
  ::chmod((file.string() + "-wal").c_str(), 0600);
  CHECK(as_nobody(read) == 7);
}

}  // namespace
}  // namespace seed::nix
