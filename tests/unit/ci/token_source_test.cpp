#include "ci/token_source.hpp"

#include "support/catch.hpp"

using namespace seed;
using namespace seed::ci;

namespace {

const os::Environment kGithub{
    {"ACTIONS_ID_TOKEN_REQUEST_URL", "https://pipelines.test/token?api-version=2.0"},
    {"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer"}};

}  // namespace

TEST_CASE("GitHub, and what speaks its language, gives a token for a request") {
  const TokenSource request =
      TokenRequest{"https://pipelines.test/token?api-version=2.0&audience=sigstore", "bearer"};
  CHECK(token_source(HostKind::github, kGithub, "sigstore") == request);
  CHECK(token_source(HostKind::forgejo, kGithub, "sigstore") == request);
  os::Environment plain = kGithub;
  plain["ACTIONS_ID_TOKEN_REQUEST_URL"] = "https://pipelines.test/token";
  CHECK(token_source(HostKind::github, plain, "sigstore") ==
        TokenSource(TokenRequest{"https://pipelines.test/token?audience=sigstore", "bearer"}));
}

TEST_CASE("a job without the right to a token has none") {
  CHECK(token_source(HostKind::github, {}, "sigstore") == std::nullopt);
  os::Environment half = kGithub;
  half.erase("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
  CHECK(token_source(HostKind::github, half, "sigstore") == std::nullopt);
  CHECK(token_source(HostKind::gitlab, kGithub, "sigstore") == std::nullopt);
  CHECK(token_source(HostKind::none, {}, "sigstore") == std::nullopt);
}

TEST_CASE("SIGSTORE_ID_TOKEN goes before the host's way, and a file comes last") {
  os::Environment environment = kGithub;
  environment["SIGSTORE_ID_TOKEN_FILE"] = "/run/token";
  environment["SIGSTORE_ID_TOKEN"] = "a.b.c";
  CHECK(token_source(HostKind::github, environment, "sigstore") ==
        TokenSource(TokenVariable{"SIGSTORE_ID_TOKEN", "a.b.c"}));
  environment.erase("SIGSTORE_ID_TOKEN");
  CHECK(std::holds_alternative<TokenRequest>(
      token_source(HostKind::github, environment, "sigstore").value()));
  CHECK(token_source(HostKind::generic, environment, "sigstore") ==
        TokenSource(TokenFile{"/run/token"}));
}

TEST_CASE("Buildkite's agent prints one, with the job's own token") {
  CHECK(token_source(HostKind::buildkite, {{"BUILDKITE_AGENT_ACCESS_TOKEN", "x"}}, "sigstore") ==
        TokenSource(
            TokenProgram{{"buildkite-agent", "oidc", "request-token", "--audience", "sigstore"}}));
  CHECK(token_source(HostKind::buildkite, {}, "sigstore") == std::nullopt);
}

TEST_CASE("every host without a token says what to do") {
  CHECK(token_remedy(HostKind::github).find("id-token: write") != std::string_view::npos);
  CHECK(token_remedy(HostKind::gitlab).find("id_tokens") != std::string_view::npos);
  CHECK(token_remedy(HostKind::none).find("--signing-key") != std::string_view::npos);
}
