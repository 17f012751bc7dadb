#include "ci/secrets.hpp"

#include <algorithm>

#include "support/catch.hpp"

namespace seed::ci {
namespace {

bool holds(const os::Environment& environment, std::string_view secret) {
  const auto secrets = secrets_of(environment);
  return std::ranges::find(secrets, secret) != secrets.end();
}

}  // namespace

TEST_CASE("what a host calls a credential is a secret") {
  for (const char* name : {"GITHUB_TOKEN",
                           "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                           "ACTIONS_RUNTIME_TOKEN",
                           "FORGEJO_TOKEN",
                           "CI_JOB_TOKEN",
                           "CI_JOB_JWT_V2",
                           "CI_REGISTRY_PASSWORD",
                           "CI_DEPLOY_PASSWORD",
                           "SIGSTORE_ID_TOKEN",
                           "BUILDKITE_AGENT_ACCESS_TOKEN",
                           "CIRCLE_OIDC_TOKEN_V2",
                           "SYSTEM_ACCESSTOKEN",
                           "AWS_SECRET_ACCESS_KEY",
                           "NIX_SEED_REGISTRY_PASSWORD"}) {
    CHECK(holds({{name, "hunter2-word"}}, "hunter2-word"));
  }
  for (const char* name : {"MAX_TOKENS", "GITHUB_SHA", "TOKENIZERS_PARALLELISM", "HOME"}) {
    CHECK_FALSE(holds({{name, "hunter2-word"}}, "hunter2-word"));
  }
}

TEST_CASE("secrets inside of other values are found") {
  CHECK(holds({{"CI_REPOSITORY_URL", "https://gitlab-ci-token:tok-en-1@gitlab.com/a/b.git"}},
              "tok-en-1"));
  CHECK(holds({{"https_proxy", "http://u:p%40ssword@proxy:8080"}}, "p@ssword"));
  CHECK(
      holds({{"NIX_CONFIG", "foo = 1\naccess-tokens = github.com=ghp_12345 gitlab.com=PAT:glp_1"}},
            "ghp_12345"));
  CHECK(holds({{"NIX_CONFIG", "extra-access-tokens = gitlab.com=PAT:glp_1"}}, "glp_1"));
  // base64 of "user:word-of-docker"
  CHECK(
      holds({{"DOCKER_AUTH_CONFIG", R"({"auths":{"r":{"auth":"dXNlcjp3b3JkLW9mLWRvY2tlcg=="}}})"}},
            "word-of-docker"));
  CHECK(holds({{"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20otel-secret,x=y"}},
              "otel-secret"));
}

TEST_CASE("a login is a secret also as HTTP basic authentication spells it") {
  // printf 'ada:hunter2-word' | base64
  CHECK(holds({{"NIX_SEED_REGISTRY_USER", "ada"}, {"NIX_SEED_REGISTRY_PASSWORD", "hunter2-word"}},
              "YWRhOmh1bnRlcjItd29yZA=="));
  const auto of_job = secrets_of({}, std::vector<Login>{{"registry", "ada", "hunter2-word"}});
  CHECK(of_job == std::vector<std::string>{"YWRhOmh1bnRlcjItd29yZA==", "hunter2-word"});
}

TEST_CASE("what is too short to be a secret, or an answer, is none") {
  CHECK(secrets_of({{"A_TOKEN", "1"}, {"B_TOKEN", "true"}, {"C_TOKEN", "false"}, {"D_TOKEN", ""}})
            .empty());
}

TEST_CASE("a redactor takes the longest first, and each line of those with several") {
  const Redactor redact({"secret", "secret-longer", ""});
  CHECK(redact("a secret-longer b secret c secre") == "a *** b *** c secre");
  CHECK(redact.finds_one_in("xsecretx"));
  CHECK_FALSE(redact.finds_one_in("secre"));
  CHECK_FALSE(Redactor().finds_one_in("x"));
  const Redactor lines(
      secrets_of({{"DEPLOY_SSH_KEY", "-----BEGIN-----\nAAAABBBB\n-----END-----"}}));
  CHECK(lines("x AAAABBBB y") == "x *** y");
}

}  // namespace seed::ci
