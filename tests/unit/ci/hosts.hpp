#pragma once

#include "ci/host.hpp"

namespace seed::ci::test {

/// What a real job of each host has in its environment, as far as it matters.
inline const os::Environment kGithub{{"CI", "true"},
                                     {"GITHUB_ACTIONS", "true"},
                                     {"GITHUB_ACTOR", "ada"},
                                     {"GITHUB_EVENT_NAME", "push"},
                                     {"GITHUB_OUTPUT", "/w/_temp/output"},
                                     {"GITHUB_REF", "refs/heads/main"},
                                     {"GITHUB_REPOSITORY", "Acme/App"},
                                     {"GITHUB_RUN_ATTEMPT", "2"},
                                     {"GITHUB_RUN_ID", "16123456789"},
                                     {"GITHUB_RUN_NUMBER", "7"},
                                     {"GITHUB_SERVER_URL", "https://github.com"},
                                     {"GITHUB_SHA", "3ac3aba2f8f8e7c0b8a7e1b8d7f0a5b5c4d3e2f1"},
                                     {"GITHUB_STEP_SUMMARY", "/w/_temp/summary"},
                                     {"GITHUB_TOKEN", "ghs_planted"},
                                     {"GITHUB_WORKSPACE", "/w/App/App"}};

inline const os::Environment kGitlab{{"CI", "true"},
                                     {"CI_COMMIT_BRANCH", "main"},
                                     {"CI_COMMIT_REF_NAME", "main"},
                                     {"CI_COMMIT_SHA", "3ac3aba2f8f8e7c0b8a7e1b8d7f0a5b5c4d3e2f1"},
                                     {"CI_JOB_ID", "42"},
                                     {"CI_JOB_URL", "https://gitlab.example/acme/app/-/jobs/42"},
                                     {"CI_PIPELINE_ID", "41"},
                                     {"CI_PIPELINE_SOURCE", "push"},
                                     {"CI_PROJECT_DIR", "/builds/acme/app"},
                                     {"CI_PROJECT_ID", "9"},
                                     {"CI_PROJECT_PATH", "Acme/App"},
                                     {"CI_PROJECT_URL", "https://gitlab.example/Acme/App"},
                                     {"CI_REGISTRY", "registry.gitlab.example"},
                                     {"CI_REGISTRY_IMAGE", "registry.gitlab.example/Acme/App"},
                                     {"CI_REGISTRY_PASSWORD", "glcbt-planted"},
                                     {"CI_REGISTRY_USER", "gitlab-ci-token"},
                                     {"GITLAB_CI", "true"},
                                     {"GITLAB_USER_LOGIN", "ada"}};

inline const os::Environment kBuildkite{
    {"BUILDKITE", "true"},
    {"BUILDKITE_BRANCH", "main"},
    {"BUILDKITE_BUILD_CHECKOUT_PATH", "/var/lib/buildkite-agent/builds/acme/app"},
    {"BUILDKITE_BUILD_CREATOR", "Ada"},
    {"BUILDKITE_BUILD_ID", "0190-b"},
    {"BUILDKITE_BUILD_URL", "https://buildkite.com/acme/app/builds/7"},
    {"BUILDKITE_COMMIT", "3ac3aba2f8f8e7c0b8a7e1b8d7f0a5b5c4d3e2f1"},
    {"BUILDKITE_JOB_ID", "0190-j"},
    {"BUILDKITE_PULL_REQUEST", "false"},
    {"BUILDKITE_REPO", "git@github.com:Acme/App.git"},
    {"BUILDKITE_RETRY_COUNT", "0"},
    {"BUILDKITE_SOURCE", "webhook"},
    {"CI", "true"}};

inline const os::Environment kCircleci{{"BASH_ENV", "/tmp/.bash_env"},
                                       {"CI", "true"},
                                       {"CIRCLECI", "true"},
                                       {"CIRCLE_BRANCH", "main"},
                                       {"CIRCLE_BUILD_NUM", "7"},
                                       {"CIRCLE_BUILD_URL", "https://circleci.com/gh/Acme/App/7"},
                                       {"CIRCLE_PROJECT_REPONAME", "App"},
                                       {"CIRCLE_PROJECT_USERNAME", "Acme"},
                                       {"CIRCLE_REPOSITORY_URL", "https://github.com/Acme/App"},
                                       {"CIRCLE_SHA1", "3ac3aba2f8f8e7c0b8a7e1b8d7f0a5b5c4d3e2f1"},
                                       {"CIRCLE_USERNAME", "ada"},
                                       {"CIRCLE_WORKFLOW_ID", "w-1"}};

inline const os::Environment kAzure{
    {"AGENT_TEMPDIRECTORY", "/agent/_temp"},
    {"BUILD_BUILDID", "7"},
    {"BUILD_REASON", "IndividualCI"},
    {"BUILD_REPOSITORY_NAME", "Acme/App"},
    {"BUILD_REPOSITORY_URI", "https://github.com/Acme/App"},
    {"BUILD_REQUESTEDFOR", "Ada"},
    {"BUILD_SOURCEBRANCH", "refs/heads/main"},
    {"BUILD_SOURCESDIRECTORY", "/agent/_work/1/s"},
    {"BUILD_SOURCEVERSION", "3ac3aba2f8f8e7c0b8a7e1b8d7f0a5b5c4d3e2f1"},
    {"SYSTEM_COLLECTIONURI", "https://dev.azure.com/acme/"},
    {"SYSTEM_JOBATTEMPT", "1"},
    {"SYSTEM_TEAMPROJECT", "App"},
    {"TF_BUILD", "True"}};

/// GitHub's environment as Forgejo's runner sets it.
inline os::Environment forgejo() {
  os::Environment environment = kGithub;
  environment["FORGEJO_ACTIONS"] = "true";
  environment["GITEA_ACTIONS"] = "true";
  environment["GITHUB_SERVER_URL"] = "https://code.example:3000";
  environment["FORGEJO_STEP_SUMMARY"] = "/w/forgejo-summary";
  return environment;
}

inline os::Environment gitea() {
  os::Environment environment = forgejo();
  environment.erase("FORGEJO_ACTIONS");
  environment.erase("FORGEJO_STEP_SUMMARY");
  environment["GITEA_STEP_SUMMARY"] = "/w/gitea-summary";
  return environment;
}

inline os::Environment with(os::Environment environment, const os::Environment& more) {
  for (const auto& [name, value] : more) {
    environment[name] = value;
  }
  return environment;
}

inline std::unique_ptr<Host> host_of(const os::Environment& environment,
                                     std::optional<std::string> event = std::nullopt) {
  return make_host(
      detect(environment), environment, {.event = std::move(event), .nonce = [] {
                                           return std::string("00112233445566778899aabbccddeeff");
                                         }});
}

/// Effects as text, for goldens.
std::string show(const Effects& effects);

}  // namespace seed::ci::test
