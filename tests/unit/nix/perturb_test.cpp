#include "nix/perturb.hpp"

#include <cstdlib>

#include <sys/stat.h>

#include "base/error.hpp"
#include "nix/changed_copy.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/fake_runner.hpp"
#include "support/need.hpp"

namespace seed::nix {
namespace {

namespace fs = std::filesystem;

std::string text_of_file(const fs::path& path) {
  return os::read_file(path, 1 << 20);
}

const std::string kLarge(200, 'x');

void make_checkout(const fs::path& root) {
  os::make_dirs(root / "sub" / "empty");
  os::atomic_write(root / "flake.nix", "{ }");
  os::atomic_write(root / "flake.lock", "{}");
  os::atomic_write(root / ".gitmodules", "");
  os::atomic_write(root / "VERSION", "1.0");
  os::atomic_write(root / "large", kLarge);
  os::atomic_write(root / "sub" / "flake.lock", "{}");
  os::atomic_write(root / "sub" / "run", "#!/bin/sh", 0755);
  ::chmod((root / "sub" / "run").c_str(), 0755);
  fs::create_symlink("../VERSION", root / "sub" / "link");
}

struct Copy {
  os::TempDir temp;
  fs::path from = temp.path() / "from";
  fs::path to = temp.path() / "to";

  explicit Copy(Perturbation how) {
    make_checkout(from);
    copy_perturbed(from, to, how);
  }
};

TEST_CASE("every own file of a perturbed copy differs, and its meaning is kept") {
  const Copy t(Perturbation::every_file);
  CHECK(text_of_file(t.to / "flake.nix") == "{ }\n# perturbed\n");
  CHECK(text_of_file(t.to / "VERSION") == "1.0\n");
  CHECK(text_of_file(t.to / "large") == kLarge + "\n");
  CHECK(text_of_file(t.to / "sub/run") == "#!/bin/sh\n");
  CHECK(text_of_file(t.to / ".nix-seed-perturbed") == "perturbed\n");
  CHECK((fs::status(t.to / "sub/run").permissions() & fs::perms::owner_exec) != fs::perms::none);
  CHECK((fs::status(t.to / "VERSION").permissions() & fs::perms::owner_exec) == fs::perms::none);
}

TEST_CASE("locks, links and empty folders of a perturbed copy are as they were") {
  const Copy t(
      GENERATE(Perturbation::every_file, Perturbation::larger_files, Perturbation::nix_files));
  CHECK(text_of_file(t.to / "flake.lock") == "{}");
  CHECK(text_of_file(t.to / "sub/flake.lock") == "{}");
  CHECK(text_of_file(t.to / ".gitmodules").empty());
  CHECK(fs::read_symlink(t.to / "sub/link") == "../VERSION");
  CHECK(fs::is_directory(t.to / "sub/empty"));
  CHECK(text_of_file(t.from / "flake.nix") == "{ }");
}

TEST_CASE("each level of perturbation changes less") {
  const Copy larger(Perturbation::larger_files);
  CHECK(text_of_file(larger.to / "VERSION") == "1.0");
  CHECK(text_of_file(larger.to / "large") == kLarge + "\n");
  const Copy nix_files(Perturbation::nix_files);
  CHECK(text_of_file(nix_files.to / "large") == kLarge);
  CHECK(text_of_file(nix_files.to / "flake.nix") == "{ }\n# perturbed\n");
}

TEST_CASE("a flake reference to a folder is told from any other") {
  const auto [reference, folder] = GENERATE(table<std::string, std::string>({
      {"path:/srv/app", "/srv/app"},
      {"path:/srv/app?dir=sub&narHash=sha256-x", "/srv/app"},
      {"git+file:///srv/app?ref=main&rev=0", "/srv/app"},
      {"git+file:///srv/my%20app%23?dir=x", "/srv/my app#"},
      {"path:/srv/caf%C3%A9", "/srv/caf\xc3\xa9"},
      {"path:/srv/100%", "/srv/100%"},
      {"path:/srv/%zz%4", "/srv/%zz%4"},
      {"github:o/r/0", ""},
      {"git+https://example.org/r", ""},
      {"git+ssh://example.org/r", ""},
      {"", ""},
  }));
  CHECK(local_folder(reference) == folder);
}

FlakeMetadata metadata_of(const std::string& reference,
                          const std::string& revision = {},
                          const std::string& subdir = {}) {
  return {.reference = reference,
          .source = StorePath::from_base_name(std::string(32, '0') + "-source"),
          .subdir = subdir,
          .revision = revision,
          .dirty_revision = {}};
}

std::string git(const fs::path& folder, std::vector<std::string> arguments) {
  os::SystemRunner runner;
  os::Command command{.argv = {"git", "-C", folder.string()},
                      .extra = {},
                      .unset = {"GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"},
                      .directory = {},
                      .input = {}};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  const os::Captured result = os::capture(runner, command);
  return result.exit.ok() ? result.out : result.err;
}

/// Sets a variable of our own environment while it lives.
struct Variable {
  const char* name;

  Variable(const char* of, const std::string& value) : name(of) {
    ::setenv(name, value.c_str(), 1);
  }

  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

  ~Variable() { ::unsetenv(name); }
};

TEST_CASE("a copy of a flake that is no git checkout stays a plain folder") {
  test::FakeRunner runner;
  CHECK(flake_in("/tmp/x", metadata_of("path:/srv/app"), runner) == "path:/tmp/x");
  CHECK(flake_in("/tmp/a b#c+d@e=f", metadata_of("github:o/r", "", "s&t/u"), runner) ==
        "path:/tmp/a%20b%23c+d@e=f?dir=s%26t/u");
  CHECK(runner.seen.empty());
}

TEST_CASE("a copy of a git checkout is one commit that holds ignored files too") {
  if (!test::have_program("git")) {
    return;
  }
  const os::TempDir temp;
  const fs::path folder = temp.path() / "a copy";
  make_checkout(folder);
  os::atomic_write(folder / ".gitignore", "large\n");
  os::SystemRunner runner;
  CHECK(flake_in(folder, metadata_of("git+file:///srv/app", "0123"), runner) ==
        "git+file://" + temp.path().string() + "/a%20copy");
  CHECK(git(folder, {"log", "--format=%s %an"}) == "perturbed nix-seed\n");
  CHECK(git(folder, {"ls-files"}) ==
        ".gitignore\n.gitmodules\nVERSION\nflake.lock\nflake.nix\nlarge\nsub/flake.lock\n"
        "sub/link\nsub/run\n");
  CHECK(git(folder, {"status", "--porcelain"}).empty());
}

TEST_CASE("a copy of a dirty checkout has its files in the index and no commit") {
  if (!test::have_program("git")) {
    return;
  }
  const os::TempDir folder;
  os::atomic_write(folder.path() / "flake.nix", "{ }");
  os::SystemRunner runner;
  flake_in(folder.path(), metadata_of("git+file:///srv/app"), runner);
  CHECK(git(folder.path(), {"status", "--porcelain"}) == "A  flake.nix\n");
}

TEST_CASE("a hook that points git at its own repository does not lead us there") {
  if (!test::have_program("git")) {
    return;
  }
  const os::TempDir users;
  const os::TempDir folder;
  git(users.path(), {"init", "-q"});
  os::atomic_write(folder.path() / "flake.nix", "{ }");
  {
    const Variable dir("GIT_DIR", (users.path() / ".git").string());
    const Variable index("GIT_INDEX_FILE", (users.path() / ".git/index").string());
    const Variable tree("GIT_WORK_TREE", users.path().string());
    os::SystemRunner runner;
    flake_in(folder.path(), metadata_of("git+file:///srv/app", "0123"), runner);
  }
  CHECK(git(folder.path(), {"log", "--format=%s"}) == "perturbed\n");
  CHECK(git(users.path(), {"ls-files"}).empty());
  CHECK_THAT(git(users.path(), {"log"}), Catch::Contains("does not have any commits yet"));
}

TEST_CASE("git's own words are in the error when it fails") {
  test::FakeRunner runner;
  runner.answer = [](const os::Command&) {
    return test::FakeRunner::Answer{128, "", "fatal: \x1b[1mno\n"};
  };
  CHECK_THROWS_WITH(flake_in("/tmp/x", metadata_of("git+file:///srv/app"), runner),
                    "git init failed in a copy of the flake: fatal: \\x1b[1mno");
}

/// perturbed_flake() copies the store path that metadata names; without a store there is none.
TEST_CASE("a source that is gone is named") {
  const os::TempDir scratch;
  test::FakeRunner runner;
  CHECK_THROWS_WITH(perturbed_flake(metadata_of("path:/srv/app"), scratch.path(), 0, runner),
                    Catch::Contains("/nix/store/" + std::string(32, '0') + "-source"));
  CHECK(runner.seen.empty());
}

}  // namespace
}  // namespace seed::nix
