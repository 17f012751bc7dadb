#include "os/git_repository.hpp"

#include <unistd.h>

#include "base/error.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "support/catch.hpp"
#include "support/need.hpp"

namespace seed::os {
namespace {

/// A repository in `folder` that the git program works on.
class Repository {
 public:
  Repository() { git({"init", "-q", "-b", "main"}); }

  const fs::path& path() const { return temp_.path(); }

  std::string git(const std::vector<std::string>& arguments) {
    std::vector<std::string> argv{
        "git", "-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "safe.directory=*"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    SystemRunner runner;
    const Captured captured =
        capture(runner,
                {.argv = argv,
                 .extra = {{"GIT_CONFIG_NOSYSTEM", "1"}, {"HOME", path().string()}},
                 .unset = {"GIT_DIR"},
                 .directory = path(),
                 .input = {}});
    INFO(captured.err);
    REQUIRE(captured.exit.ok());
    return captured.out.substr(0, captured.out.find('\n'));
  }

  void commit() {
    atomic_write(path() / "file", "1");
    git({"add", "file"});
    git({"commit", "-qm", "one"});
  }

  GitState state(const fs::path& below = {}) {
    const auto found = inspect_git(path() / below);
    REQUIRE(found.has_value());
    return *found;
  }

 private:
  TempDir temp_;
};

TEST_CASE("a folder outside of any repository has no state") {
  const TempDir temp;
  CHECK_FALSE(inspect_git(temp.path()).has_value());
  CHECK_FALSE(inspect_git("/nonexistent/folder").has_value());
}

TEST_CASE("a clean checkout has its commit, branch and root, from any folder in it") {
  if (!test::have_program("git")) {
    return;
  }
  Repository repository;
  CHECK(repository.state().commit.empty());
  CHECK_FALSE(repository.state().dirty);
  repository.commit();
  fs::create_directories(repository.path() / "a" / "b");
  const GitState state = repository.state("a/b");
  CHECK(state.root == fs::canonical(repository.path()));
  CHECK(state.commit == repository.git({"rev-parse", "HEAD"}));
  CHECK(state.branch == "main");
  CHECK_FALSE(state.dirty);
  CHECK(state.remote_url.empty());
}

TEST_CASE("a changed tracked file makes a checkout dirty, a new one does not") {
  if (!test::have_program("git")) {
    return;
  }
  Repository repository;
  repository.commit();
  atomic_write(repository.path() / "untracked", "x");
  CHECK_FALSE(repository.state().dirty);
  atomic_write(repository.path() / "file", "22");
  CHECK(repository.state().dirty);
  repository.git({"add", "file"});
  CHECK(repository.state().dirty);
  repository.git({"commit", "-qm", "two"});
  CHECK_FALSE(repository.state().dirty);
  fs::remove(repository.path() / "file");
  CHECK(repository.state().dirty);
  repository.git({"checkout", "-q", "file"});
  repository.git({"add", "untracked"});
  CHECK(repository.state().dirty);
}

TEST_CASE("a detached checkout has a commit and no branch") {
  if (!test::have_program("git")) {
    return;
  }
  Repository repository;
  repository.commit();
  repository.git({"checkout", "-q", "--detach"});
  CHECK(repository.state().branch.empty());
  CHECK(repository.state().commit.size() == 40);
}

TEST_CASE("a bare repository has no state") {
  if (!test::have_program("git")) {
    return;
  }
  Repository repository;
  repository.commit();
  repository.git({"clone", "-q", "--bare", ".", "bare.git"});
  CHECK_FALSE(inspect_git(repository.path() / "bare.git").has_value());
}

TEST_CASE("the remote is told without its credentials") {
  if (!test::have_program("git")) {
    return;
  }
  Repository repository;
  repository.git({"remote", "add", "origin", "https://x-access-token:secret@example.org/o/r.git"});
  CHECK(repository.state().remote_url == "https://example.org/o/r.git");
}

TEST_CASE("user information is taken out of URLs only") {
  CHECK(without_userinfo("https://t@h:8443/o/r") == "https://h:8443/o/r");
  CHECK(without_userinfo("https://u:p@x@h/o") == "https://h/o");
  CHECK(without_userinfo("https://h/o@r") == "https://h/o@r");
  CHECK(without_userinfo("https://h?x=a@b") == "https://h?x=a@b");
  CHECK(without_userinfo("git@h:o/r") == "git@h:o/r");
  CHECK(without_userinfo("/srv/a@b") == "/srv/a@b");
  CHECK(without_userinfo("ssh://git@h") == "ssh://h");
}

TEST_CASE("a checkout of another owner is accepted") {
  if (!test::have_program("git") || !test::have_root("to give a repository away")) {
    return;
  }
  Repository repository;
  repository.commit();
  SystemRunner runner;
  REQUIRE(capture(runner,
                  {.argv = {"chown", "-R", "65534:65534", repository.path().string()},
                   .extra = {},
                   .unset = {},
                   .directory = {},
                   .input = {}})
              .exit.ok());
  CHECK(repository.state().branch == "main");
}

}  // namespace
}  // namespace seed::os
