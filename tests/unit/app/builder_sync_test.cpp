#include "app/builder_sync.hpp"

#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/git_backend.hpp"
#include "support/need.hpp"

namespace seed::app {
namespace {

constexpr const char* kRepository = "https://git.test/acme/app";
constexpr const char* kToken = "s3cret-token";
constexpr const char* kBasic = "Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0LXRva2Vu";

/// A source with two commits, and the empty repository of a builder at git's own HTTP server.
class Mirror {
 public:
  Mirror() {
    const os::fs::path source = temp_.path() / "source.git";
    host.git(temp_.path(), {"init", "-q", "--bare", "-b", "main", source.string()});
    first = add(source, "first", "");
    second = add(source, "second", first);
    objects.read_also(source);
    host.authorization = kBasic;
  }

  std::string add(const os::fs::path& repository,
                  const std::string& message,
                  const std::string& parent) {
    const std::string stream =
        "commit refs/heads/main\ncommitter T <t@example.org> 1795190000 +0000\ndata " +
        std::to_string(message.size()) + "\n" + message + "\n" +
        (parent.empty() ? "" : "from " + parent + "\n") +
        "M 100644 inline .github/workflows/seed.yml\ndata 3\non:\n" +
        "M 100644 inline file\ndata " + std::to_string(message.size()) + "\n" + message + "\n";
    host.git(repository, {"fast-import", "--quiet", "--force"}, stream);
    return host.git(repository, {"rev-parse", "refs/heads/main"});
  }

  SyncedBuilder sync(const std::string& commit) {
    return sync_builder(host, environment, objects, commit, "trunk", "ci-two", builder);
  }

  os::TempDir temp_;
  test::GitBackend host;
  os::GitObjects objects{temp_.path() / "objects"};
  os::Environment environment{{"NIX_SEED_CI_TWO_GIT_TOKEN", kToken}};
  nix::SeedCfgBuilder builder{
      .identity = std::string(kRepository) + "/.github/workflows/seed.yml@refs/heads/main",
      .repository = kRepository};
  std::string first;
  std::string second;
};

}  // namespace

TEST_CASE("a builder's repository gets the commit and its history, and then what is new") {
  if (!test::have_program("git")) {
    return;
  }
  Mirror mirror;
  const SyncedBuilder made = mirror.sync(mirror.first);
  INFO(made.why);
  CHECK(made.status == SyncStatus::made);
  CHECK(made.branch == "main");
  CHECK(mirror.host.id_of("main") == mirror.first);
  CHECK(mirror.sync(mirror.second).status == SyncStatus::moved);
  CHECK(mirror.host.id_of("main") == mirror.second);
  CHECK(mirror.host.read("main", "file") == "second");
  const std::size_t asked = mirror.host.seen.size();
  CHECK(mirror.sync(mirror.second).status == SyncStatus::current);
  CHECK(mirror.host.seen.size() == asked + 1);
  mirror.host.git(mirror.host.repository(), {"fsck", "--strict"});
}

TEST_CASE("a branch that has what the source has not stays as it is") {
  if (!test::have_program("git")) {
    return;
  }
  Mirror mirror;
  const std::string theirs = mirror.host.commit("main", {{"evil", "1"}});
  const SyncedBuilder unknown = mirror.sync(mirror.second);
  CHECK(unknown.status == SyncStatus::failed);
  CHECK(unknown.code == ExitCode::refused);
  CHECK(unknown.why.find(theirs) != std::string::npos);
  CHECK(mirror.host.id_of("main") == theirs);
}

TEST_CASE("a branch never moves back") {
  if (!test::have_program("git")) {
    return;
  }
  Mirror mirror;
  REQUIRE(mirror.sync(mirror.second).status == SyncStatus::made);
  const SyncedBuilder back = mirror.sync(mirror.first);
  CHECK(back.status == SyncStatus::failed);
  CHECK(back.code == ExitCode::refused);
  CHECK(mirror.host.id_of("main") == mirror.second);
}

TEST_CASE("a commit without the file that the builder's identity names is not pushed") {
  if (!test::have_program("git")) {
    return;
  }
  Mirror mirror;
  mirror.builder.identity = std::string(kRepository) + "//.gitlab-ci.yml@refs/heads/main";
  const SyncedBuilder refused = mirror.sync(mirror.second);
  CHECK(refused.status == SyncStatus::failed);
  CHECK(refused.code == ExitCode::usage);
  CHECK(refused.why == "the commit has no .gitlab-ci.yml, which the builder's identity names");
  CHECK(mirror.host.seen.empty());
}

TEST_CASE("without a token, or with a wrong one, nothing moves and no token is shown") {
  if (!test::have_program("git")) {
    return;
  }
  Mirror mirror;
  mirror.environment.clear();
  const SyncedBuilder none = mirror.sync(mirror.first);
  CHECK(none.status == SyncStatus::failed);
  CHECK(none.hint == "set NIX_SEED_CI_TWO_GIT_TOKEN to a token that may push");
  mirror.environment = {{"NIX_SEED_CI_TWO_GIT_TOKEN", "wrong-token"}};
  const SyncedBuilder wrong = mirror.sync(mirror.first);
  CHECK(wrong.status == SyncStatus::failed);
  CHECK(wrong.code == ExitCode::network);
  CHECK((wrong.why + wrong.hint).find("wrong-token") == std::string::npos);
  CHECK(mirror.host.id_of("main").empty());
}

TEST_CASE("a builder has a job where its identity is a file of its repository") {
  const auto job = [](const std::string& identity) {
    return job_of({.identity = identity, .repository = kRepository});
  };
  const std::string base = kRepository;
  CHECK(job(base + "/.github/workflows/a.yml@refs/heads/x/y") ==
        BuilderJob{.file = ".github/workflows/a.yml", .branch = "x/y"});
  CHECK(job(base + "//.gitlab-ci.yml@refs/heads/main") ==
        BuilderJob{.file = ".gitlab-ci.yml", .branch = "main"});
  CHECK(job(base + "/.github/workflows/a.yml@refs/tags/v1") ==
        BuilderJob{.file = ".github/workflows/a.yml", .branch = {}});
  CHECK_FALSE(job(base + "-other/.github/workflows/a.yml@refs/heads/main"));
  CHECK_FALSE(job("robot@example.org"));
  CHECK_FALSE(job(base + "/@refs/heads/main"));
  CHECK_FALSE(job_of({.identity = base + "/a@refs/heads/main"}));
}

TEST_CASE("a builder that has no repository is left alone, and others have their own branch") {
  Mirror mirror;
  mirror.builder = {};
  CHECK(mirror.sync(mirror.first).status == SyncStatus::none);
  CHECK(mirror.host.seen.empty());
}

TEST_CASE("a builder with a key alone gets the branch that was asked for") {
  if (!test::have_program("git")) {
    return;
  }
  Mirror mirror;
  mirror.builder.identity.clear();
  CHECK(mirror.sync(mirror.first).status == SyncStatus::made);
  CHECK(mirror.host.id_of("trunk") == mirror.first);
}

TEST_CASE("addresses that never end in .git are asked as they are") {
  for (const char* url : {"https://dev.azure.com/acme/app/_git/app",
                          "https://git-codecommit.eu-west-3.amazonaws.com/v1/repos/app",
                          "https://git.test/acme/app.git"}) {
    Mirror mirror;
    mirror.builder = {.repository = url};
    std::string asked;
    mirror.host.elsewhere = [&](const http::Request& request) {
      asked = request.url;
      return http::Response{.status = 404, .headers = {}, .body = {}};
    };
    mirror.host.before = [&](const http::Request& request) { asked = request.url; };
    mirror.sync(mirror.first);
    CHECK(asked.starts_with(std::string(url) + "/"));
  }
}

TEST_CASE("a flake does not choose which host is shown a builder's token") {
  const nix::SeedCfgBuilder builder{.repository = kRepository};
  CHECK_NOTHROW(check_builder_host({}, "ci-two", builder));
  os::Environment environment{{"NIX_SEED_CI_TWO_GIT_TOKEN", kToken}};
  CHECK_THROWS_AS(check_builder_host(environment, "ci-two", builder), UsageError);
  environment["NIX_SEED_CI_TWO_GIT_HOST"] = "git.other.test";
  CHECK_THROWS_AS(check_builder_host(environment, "ci-two", builder), UsageError);
  environment["NIX_SEED_CI_TWO_GIT_HOST"] = "git.test";
  CHECK_NOTHROW(check_builder_host(environment, "ci-two", builder));
  CHECK_NOTHROW(check_builder_host({{"NIX_SEED_CI_TWO_GIT_TOKEN", kToken}}, "ci-two", {}));
}

}  // namespace seed::app
