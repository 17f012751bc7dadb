#include "app/git_place.hpp"

#include "support/catch.hpp"

namespace seed::app {
namespace {

const os::Environment kGitHub{{"GITHUB_SERVER_URL", "https://github.com"},
                              {"GITHUB_API_URL", "https://api.github.com"},
                              {"GITHUB_TOKEN", "ghs_x"}};
const os::Environment kGitLab{{"CI_SERVER_URL", "https://gitlab.acme.test"},
                              {"CI_JOB_TOKEN", "job"},
                              {"GITHUB_TOKEN", "elsewhere"}};

TEST_CASE("a GitHub job has its token, for its own server") {
  const GitPlace place = git_place(kGitHub, "https://github.com/Acme/App/", "refs/heads/a/b");
  CHECK(place.url == "https://github.com/Acme/App.git");
  CHECK(place.page == "https://github.com/Acme/App");
  CHECK(place.branch == "a/b");
  CHECK(place.login.user == "x-access-token");
  CHECK(place.login.token == "ghs_x");
  CHECK(place.merge_requests == MergeRequests::rest_api);
  CHECK(place.api == "https://api.github.com");
  CHECK(place.repository == "Acme/App");
  CHECK(git_place(kGitHub, "https://evil.test/Acme/App", "").login.token.empty());
  CHECK(git_place(kGitHub, "http://github.com/Acme/App", "").login.token.empty());
  CHECK(git_place(kGitHub, "https://github.com.evil.test/Acme/App", "").login.token.empty());
}

TEST_CASE("Forgejo and Gitea name their server and API as GitHub does") {
  const GitPlace place = git_place({{"GITHUB_SERVER_URL", "https://codeberg.test"},
                                    {"GITHUB_API_URL", "https://codeberg.test/api/v1"},
                                    {"GITHUB_TOKEN", "t"}},
                                   "https://codeberg.test/a/b.git",
                                   "main");
  CHECK(place.api == "https://codeberg.test/api/v1");
  CHECK(place.repository == "a/b");
  CHECK(place.login.token == "t");
  CHECK(place.branch == "main");
}

TEST_CASE("a GitLab job has its job's token, unless another is given") {
  const GitPlace place = git_place(kGitLab, "https://gitlab.acme.test/g/sub/p", "refs/heads/main");
  CHECK(place.url == "https://gitlab.acme.test/g/sub/p.git");
  CHECK(place.login.user == "gitlab-ci-token");
  CHECK(place.login.token == "job");
  CHECK(place.merge_requests == MergeRequests::push_options);
  os::Environment environment = kGitLab;
  environment["NIX_SEED_GIT_TOKEN"] = "glpat";
  const GitPlace given = git_place(environment, "https://gitlab.acme.test/g/sub/p", "");
  CHECK(given.login.user == "oauth2");
  CHECK(given.login.token == "glpat");
  environment["NIX_SEED_GIT_USER"] = "bot";
  CHECK(git_place(environment, "https://gitlab.acme.test/g/p", "").login.user == "bot");
}

TEST_CASE("tags and merges of pull requests are no branch") {
  CHECK(git_place(kGitHub, "https://github.com/a/b", "refs/tags/v1").branch.empty());
  CHECK(git_place(kGitHub, "https://github.com/a/b", "refs/pull/1/merge").branch.empty());
}

TEST_CASE("a person's machine has a token for GitHub alone, and other servers no API") {
  const GitPlace place = git_place({{"GITHUB_TOKEN", "t"}}, "https://github.com/a/b", "main");
  CHECK(place.login.token == "t");
  CHECK(place.api == "https://api.github.com");
  const GitPlace other = git_place({{"GITHUB_TOKEN", "t"}}, "https://git.acme.test/b", "main");
  CHECK(other.login.token.empty());
  CHECK(other.merge_requests == MergeRequests::none);
  CHECK(other.url == "https://git.acme.test/b");
}

TEST_CASE("one repository has several URLs") {
  CHECK(same_repository("https://GitHub.com/Acme/App.git/", "https://github.com/acme/app"));
  CHECK_FALSE(same_repository("https://github.com/acme/app", "https://github.com/acme/app2"));
  CHECK_FALSE(same_repository("https://github.com/acme/app", "http://github.com/acme/app"));
}

}  // namespace
}  // namespace seed::app
