#include "oci/session.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/limits.hpp"
#include "oci/registry_error.hpp"
#include "os/clock.hpp"

namespace seed::oci {
namespace {

http::Url origin_of(const std::string& host, bool insecure) {
  // Docker Hub's API is not where its name says.
  const bool hub = host == "docker.io" || host == "index.docker.io";
  http::Url url = http::Url::parse("https://" + (hub ? "registry-1.docker.io" : host) + "/");
  if (insecure || http::is_loopback(url.host)) {
    url = http::Url::parse("http://" + host + "/");
  }
  return url;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string login_hint(const std::string& host, Access access) {
  if (host == "ghcr.io") {
    return access == Access::push
               ? "in GitHub Actions: 'permissions: packages: write' and a login with GITHUB_TOKEN; "
                 "the package's settings must give this repository the role Write"
               : "in GitHub Actions: 'permissions: packages: read' and a login with GITHUB_TOKEN; "
                 "elsewhere 'docker login ghcr.io'";
  }
  return access == Access::push
             ? fmt::format("'docker login {}' with an account that may push there", host)
             : fmt::format("'docker login {}' with an account that may pull from there", host);
}

std::string hint_for(const http::Response& response, const std::string& host, Access access) {
  if (response.status == 401 || response.status == 403) {
    return login_hint(host, access);
  }
  if (response.status == 429) {
    return "the registry's rate limit is reached; log in, or try again later";
  }
  if (response.status >= 500) {
    return "the registry itself failed; try again later, or ask who runs it";
  }
  if (response.status == 404 && has_code(parse_registry_errors(response.body), "NAME_UNKNOWN")) {
    return "the repository does not exist; check its name, or create it first";
  }
  return {};
}

}  // namespace

Session::Session(const Reference& reference,
                 http::Transport& transport,
                 CredentialSource& credentials,
                 const RegistryOptions& options)
    : host_(reference.host()),
      name_(reference.name()),
      repository_(reference.repository()),
      options_(options),
      origin_(origin_of(host_, options.insecure)),
      transport_(transport),
      own_clock_(options.clock == nullptr ? std::make_unique<os::SystemClock>() : nullptr),
      clock_(options.clock == nullptr ? own_clock_.get() : options.clock),
      tokens_(transport,
              credentials,
              *clock_,
              {.host = host_,
               .repository = host_ + "/" + name_,
               .plain_http = origin_.scheme == "http"}) {}

std::string Session::url(std::string_view path) const {
  http::Url url = origin_;
  url.target = fmt::format("/v2/{}/{}", name_, path);
  return url.to_string();
}

Scopes Session::scopes(Access access) const {
  return {fmt::format("repository:{}:{}", name_, access == Access::pull ? "pull" : "pull,push")};
}

http::Url Session::follow(const http::Url& base, std::string_view location) const {
  const http::Url next = http::resolve(base, location);
  if (base.scheme == "https" && next.scheme == "http") {
    throw NetworkError(fmt::format("{} leads from https to {}",
                                   http::redact_url(base.to_string()),
                                   http::redact_url(next.to_string())),
                       "a proxy before the registry must pass X-Forwarded-Proto on");
  }
  return next;
}

Exchanged Session::send_once(const http::Request& request, const Scopes& scopes) {
  http::Request addressed = request;
  http::Url url = http::Url::parse(request.url);
  std::optional<std::string> authorization;
  // Storage behind a registry refuses requests that are signed twice, and has no right to our
  // token.
  if (is_registry(url)) {
    authorization = tokens_.authorization(scopes);
    if (authorization) {
      addressed.headers.set("Authorization", *authorization);
    }
  }
  http::Response response = transport_.send(addressed);
  return {std::move(response), std::move(url), std::move(authorization)};
}

bool Session::renew(const Exchanged& exchanged, const Scopes& scopes) {
  std::string challenges;
  for (const auto& [name, value] : exchanged.response.headers.entries()) {
    if (to_lower(name) == "www-authenticate") {
      challenges += (challenges.empty() ? "" : ", ") + value;
    }
  }
  return is_registry(exchanged.url) && tokens_.renew(scopes, exchanged.authorization, challenges);
}

Exchanged Session::send(const http::Request& request,
                        const Scopes& scopes,
                        OnRedirect on_redirect) {
  http::Request current = request;
  const bool reads = request.method == http::Method::get || request.method == http::Method::head;
  const bool follows = reads && on_redirect == OnRedirect::follow;
  bool renewed = false;
  for (unsigned hops = 0;;) {
    Exchanged exchanged = send_once(current, scopes);
    const int status = exchanged.response.status;
    if (status == 401 && !renewed && renew(exchanged, scopes)) {
      renewed = true;
      continue;
    }
    const auto location = exchanged.response.headers.get("Location");
    if (!follows || !is_redirect(status) || !location) {
      return exchanged;
    }
    if (++hops > kMaxRedirects) {
      throw NetworkError(
          fmt::format("{}: more than {} redirects", http::redact_url(request.url), kMaxRedirects));
    }
    current.url = follow(exchanged.url, *location).to_string();
  }
}

void Session::refuse(const Exchanged& exchanged, Access access) {
  const http::Response& response = exchanged.response;
  const std::string why = tokens_.without_secrets(describe_errors(response.body));
  throw NetworkError(fmt::format("{} answers {}{}{} to {}",
                                 exchanged.url.authority(),
                                 response.status,
                                 why.empty() ? "" : " ",
                                 why.empty() ? "" : "(" + why + ")",
                                 http::redact_url(exchanged.url.to_string())),
                     hint_for(response, host_, access),
                     response.status,
                     response.status >= 500 || response.status == 429);
}

}  // namespace seed::oci
