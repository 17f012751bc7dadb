#include "ci/token_source.hpp"

#include "ci/adapters.hpp"

namespace seed::ci {
namespace {

/// The address has a query already (actions/toolkit, oidc-utils.ts). The audiences that there are
/// have no character that a query would take for its own.
std::string with_audience(std::string url, std::string_view audience) {
  url += url.find('?') == url.npos ? '?' : '&';
  return url + "audience=" + std::string(audience);
}

std::optional<TokenSource> token_of_host(HostKind kind,
                                         const os::Environment& environment,
                                         std::string_view audience) {
  const std::string url = value_of(environment, "ACTIONS_ID_TOKEN_REQUEST_URL");
  const std::string bearer = value_of(environment, "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
  switch (kind) {
    case HostKind::github:
    case HostKind::forgejo:
    case HostKind::gitea:
      if (!url.empty() && !bearer.empty()) {
        return TokenRequest{with_audience(url, audience), bearer};
      }
      return std::nullopt;
    case HostKind::buildkite:
      // The agent asks with the token of the job, so without that it can't.
      if (os::get(environment, "BUILDKITE_AGENT_ACCESS_TOKEN")) {
        return TokenProgram{
            {"buildkite-agent", "oidc", "request-token", "--audience", std::string(audience)}};
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<TokenSource> token_source(HostKind kind,
                                        const os::Environment& environment,
                                        std::string_view audience) {
  if (auto token = os::get(environment, "SIGSTORE_ID_TOKEN")) {
    return TokenVariable{"SIGSTORE_ID_TOKEN", *std::move(token)};
  }
  if (auto source = token_of_host(kind, environment, audience)) {
    return source;
  }
  if (const auto file = os::get(environment, "SIGSTORE_ID_TOKEN_FILE")) {
    return TokenFile{*file};
  }
  return std::nullopt;
}

std::string_view token_remedy(HostKind kind) {
  switch (kind) {
    case HostKind::github:
      return "give the job 'permissions: id-token: write'; pull requests of forks never get it";
    case HostKind::gitlab:
      return "give the job 'id_tokens: {SIGSTORE_ID_TOKEN: {aud: sigstore}}'";
    case HostKind::buildkite:
      return "run where the agent passes BUILDKITE_AGENT_ACCESS_TOKEN on to the job";
    default:
      return "put an identity token for the audience sigstore into SIGSTORE_ID_TOKEN, or sign with "
             "a key (--signing-key, --signer)";
  }
}

}  // namespace seed::ci
