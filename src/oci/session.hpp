#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "http/http.hpp"
#include "oci/registry.hpp"
#include "oci/tokens.hpp"

namespace seed::oci {

/// What a request changes decides which token it needs and what a refusal is told.
enum class Access { pull, push };

enum class OnRedirect { follow, pass_on };

struct Exchanged {
  http::Response response;
  http::Url url;  ///< after redirects: what a Location in the response is relative to
  std::optional<std::string> authorization;  ///< sent with the last request
};

/// Requests to one repository of one registry: origin, authorization, redirects and refusals.
/// Thread-safe.
class Session {
 public:
  Session(const Reference& reference,
          http::Transport& transport,
          CredentialSource& credentials,
          const RegistryOptions& options);

  /// The URL of `/v2/NAME/` + path.
  std::string url(std::string_view path) const;
  Scopes scopes(Access access) const;

  const std::string& host() const { return host_; }

  const std::string& repository() const { return repository_; }

  const std::string& repository_name() const { return name_; }

  Clock& clock() const { return *clock_; }

  /// Follows redirects of GET and HEAD and asks for a token again, once, after a 401.
  Exchanged send(const http::Request& request,
                 const Scopes& scopes,
                 OnRedirect on_redirect = OnRedirect::follow);

  Exchanged send(const http::Request& request, Access access) {
    return send(request, scopes(access));
  }

  /// As it comes, 401 and 3xx included.
  Exchanged send_once(const http::Request& request, const Scopes& scopes);
  /// After send_once gave a 401: true where sending again may help.
  bool renew(const Exchanged& exchanged, const Scopes& scopes);

  /// Where a Location leads; never from https to http.
  http::Url follow(const http::Url& base, std::string_view location) const;

  /// Throws the NetworkError for a status that no caller expects.
  [[noreturn]] void refuse(const Exchanged& exchanged, Access access);

 private:
  bool is_registry(const http::Url& url) const { return url.same_origin(origin_); }

  std::string host_;
  std::string name_;
  std::string repository_;
  RegistryOptions options_;
  http::Url origin_;
  http::Transport& transport_;
  std::unique_ptr<Clock> own_clock_;
  Clock* clock_;
  Tokens tokens_;
};

}  // namespace seed::oci
