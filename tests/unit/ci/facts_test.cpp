#include "base/error.hpp"
#include "hosts.hpp"
#include "support/catch.hpp"

namespace seed::ci {
namespace {

using namespace test;

constexpr auto kForkEvent = R"({"pull_request":{"head":{"repo":{"full_name":"eve/app"}}}})";

std::string detected(const os::Environment& environment) {
  return std::string(to_string(detect(environment)));
}

}  // namespace

TEST_CASE("each host is known by its mark, and those that say GITHUB_ACTIONS too come first") {
  CHECK(detected(kGithub) == "github");
  CHECK(detected(forgejo()) == "forgejo");
  CHECK(detected(gitea()) == "gitea");
  CHECK(detected(kGitlab) == "gitlab");
  CHECK(detected(kBuildkite) == "buildkite");
  CHECK(detected(kCircleci) == "circleci");
  CHECK(detected(kAzure) == "azure");
  CHECK(detected({{"CI", "woodpecker"}}) == "generic");
  CHECK(detected({{"JENKINS_URL", "http://j"}, {"BUILD_ID", "7"}}) == "generic");
  CHECK(detected({}) == "none");
  CHECK(detected({{"CI", "false"}}) == "none");
  CHECK(detected({{"CI", ""}, {"GITHUB_ACTIONS", ""}}) == "none");
}

TEST_CASE("NIX_SEED_CI wins over every mark, and a word that is no host is refused") {
  CHECK(detected(with(kGithub, {{"NIX_SEED_CI", "none"}})) == "none");
  CHECK(detected(with(kGithub, {{"NIX_SEED_CI", " GitLab "}})) == "gitlab");
  CHECK(detected(with(kGithub, {{"NIX_SEED_CI", ""}})) == "github");
  try {
    detect({{"NIX_SEED_CI", "jenkins\nx"}});
    FAIL("no refusal");
  } catch (const UsageError& error) {
    CHECK(error.message() == "NIX_SEED_CI is 'jenkins\\x0ax', which is no CI host");
    CHECK(error.hint() ==
          "leave it empty, or say one of github, gitlab, forgejo, gitea, buildkite, circleci, "
          "azure, generic, none");
  }
}

TEST_CASE("GitHub's facts: the registry in lower case, the run's address, the token as a login") {
  const auto host = host_of(kGithub);
  const Facts& facts = host->facts();
  CHECK(facts.repository == "Acme/App");
  CHECK(facts.repository_url == "https://github.com/Acme/App");
  CHECK(facts.registry == "ghcr.io/acme/app-seed");
  CHECK(facts.run_url == "https://github.com/Acme/App/actions/runs/16123456789/attempts/2");
  CHECK(facts.logins == std::vector<Login>{{"ghcr.io", "ada", "ghs_planted"}});
  CHECK(facts.commit == "3ac3aba2f8f8e7c0b8a7e1b8d7f0a5b5c4d3e2f1");
  CHECK(facts.ref == "refs/heads/main");
  CHECK(facts.untrusted.empty());
  CHECK_FALSE(facts.debug);
  CHECK(host_of(with(kGithub, {{"RUNNER_DEBUG", "1"}}))->facts().debug);
}

TEST_CASE("an enterprise server's registry is its own, and no token of it goes to ghcr.io") {
  const auto host = host_of(with(kGithub, {{"GITHUB_SERVER_URL", "https://acme.ghe.com"}}));
  CHECK(host->facts().registry == "containers.acme.ghe.com/acme/app-seed");
  CHECK(host->facts().logins ==
        std::vector<Login>{{"containers.acme.ghe.com", "ada", "ghs_planted"}});
  CHECK(host_of(with(kGithub, {{"GITHUB_SERVER_URL", "nonsense"}}))->facts().logins.empty());
}

TEST_CASE("Forgejo and Gitea have registries of their own") {
  const auto host = host_of(forgejo());
  CHECK(host->facts().registry == "code.example:3000/acme/app-seed");
  CHECK(host->facts().run_url == "https://code.example:3000/Acme/App/actions/runs/7");
  CHECK(host->facts().logins == std::vector<Login>{{"code.example:3000", "ada", "ghs_planted"}});
  CHECK(host_of(with(gitea(), {{"GITEA_TOKEN", "own"}}))->facts().logins ==
        std::vector<Login>{{"code.example:3000", "ada", "own"}});
}

TEST_CASE("GitLab's facts") {
  const auto host = host_of(kGitlab);
  const Facts& facts = host->facts();
  CHECK(facts.repository == "Acme/App");
  CHECK(facts.registry == "registry.gitlab.example/acme/app/seed");
  CHECK(facts.logins ==
        std::vector<Login>{{"registry.gitlab.example", "gitlab-ci-token", "glcbt-planted"}});
  CHECK(facts.ref == "refs/heads/main");
  CHECK(facts.run_url == "https://gitlab.example/acme/app/-/jobs/42");
  CHECK(facts.untrusted.empty());
  CHECK(host_of(with(kGitlab, {{"CI_COMMIT_TAG", "v1"}}))->facts().ref == "refs/tags/v1");
  CHECK(host_of(with(kGitlab, {{"CI_REGISTRY_IMAGE", ""}}))->facts().registry.empty());
}

TEST_CASE("the facts of Buildkite, CircleCI and Azure") {
  CHECK(host_of(kBuildkite)->facts().repository == "Acme/App");
  CHECK(host_of(kBuildkite)->facts().run_url == "https://buildkite.com/acme/app/builds/7#0190-j");
  CHECK(host_of(kCircleci)->facts().repository == "Acme/App");
  CHECK(host_of(kCircleci)->facts().ref == "refs/heads/main");
  CHECK(host_of(kAzure)->facts().run_url ==
        "https://dev.azure.com/acme/App/_build/results?buildId=7");
  for (const auto* environment : {&kBuildkite, &kCircleci, &kAzure}) {
    CHECK(host_of(*environment)->facts().registry.empty());
    CHECK(host_of(*environment)->facts().untrusted.empty());
    CHECK(host_of(*environment)->facts().commit == "3ac3aba2f8f8e7c0b8a7e1b8d7f0a5b5c4d3e2f1");
  }
}

TEST_CASE("each host says when the code is of a fork") {
  CHECK(host_of(with(kGithub, {{"GITHUB_EVENT_NAME", "pull_request"}}), kForkEvent)
            ->facts()
            .untrusted == "the pull request is of the fork eve/app");
  CHECK(host_of(with(forgejo(), {{"GITHUB_EVENT_NAME", "pull_request"}}), kForkEvent)
            ->facts()
            .untrusted == "the pull request is of the fork eve/app");
  CHECK(host_of(with(kGithub, {{"GITHUB_EVENT_NAME", "pull_request"}}), "not JSON")
            ->facts()
            .untrusted ==
        "the event 'pull_request' can't be read, so nothing says whose code this is");
  CHECK(host_of(with(kGitlab,
                     {{"CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "10"},
                      {"CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "eve/app"}}))
            ->facts()
            .untrusted == "the merge request is of the fork eve/app");
  // in the fork's own project, with the fork's own rights
  CHECK(host_of(with(kGitlab, {{"CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "9"}}))
            ->facts()
            .untrusted.empty());
  CHECK(host_of(with(kBuildkite,
                     {{"BUILDKITE_PULL_REQUEST", "3"},
                      {"BUILDKITE_PULL_REQUEST_REPO", "https://github.com/eve/app.git"}}))
            ->facts()
            .untrusted == "the pull request is of the fork eve/app");
  CHECK(host_of(with(kBuildkite,
                     {{"BUILDKITE_PULL_REQUEST", "3"},
                      {"BUILDKITE_PULL_REQUEST_REPO", "https://github.com/Acme/App.git"}}))
            ->facts()
            .untrusted.empty());
  CHECK(host_of(with(kCircleci, {{"CIRCLE_PR_USERNAME", "eve"}}))->facts().untrusted ==
        "the pull request is of the fork eve/App");
  CHECK(host_of(with(kAzure, {{"SYSTEM_PULLREQUEST_ISFORK", "True"}}))->facts().untrusted ==
        "the pull request is of a fork");
}

TEST_CASE("a host that says nothing of itself still has an adapter") {
  for (const char* name : {"github",
                           "gitlab",
                           "forgejo",
                           "gitea",
                           "buildkite",
                           "circleci",
                           "azure",
                           "generic",
                           "none"}) {
    const auto host = host_of({{"NIX_SEED_CI", name}});
    CHECK(to_string(host->facts().kind) == name);
    CHECK(host->facts().registry.empty());
    CHECK(host->facts().logins.empty());
    const Effects effects = host->deliver({.command = "seed"});
    CHECK(effects.size() <= 1);
  }
}

}  // namespace seed::ci
