#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "http/http.hpp"
#include "oci/auth_challenge.hpp"
#include "oci/credentials.hpp"

namespace seed::oci {

using Scopes = std::vector<std::string>;  ///< repository:NAME:pull,push

/// Answers the challenges of one registry, and remembers the answers until they end. Thread-safe.
class Tokens {
 public:
  struct Peer {
    std::string host;        ///< as the user wrote it; what credentials are kept under
    std::string repository;  ///< HOST/NAME
    bool plain_http = false;
  };

  Tokens(http::Transport& transport, CredentialSource& credentials, Clock& clock, Peer peer)
      : transport_(transport), credentials_(credentials), clock_(clock), peer_(std::move(peer)) {}

  /// The Authorization value for a request with these scopes; nothing until a registry has asked.
  std::optional<std::string> authorization(const Scopes& scopes);

  /// A request with `used` was answered 401 with this header: true where another value can be had.
  bool renew(const Scopes& scopes,
             const std::optional<std::string>& used,
             const std::optional<std::string>& www_authenticate);

  /// Takes every secret we know out of text that a peer sent.
  std::string without_secrets(std::string text);

 private:
  struct Token {
    std::string value;
    Time ends;
  };

  const std::optional<Credential>& credential();
  bool adopt(const std::vector<Challenge>& challenges);
  std::string fetch(const Scopes& scopes);
  http::Response request_token(const Scopes& scopes);
  std::string scrub(std::string text) const;
  void check_realm(const std::string& realm) const;

  http::Transport& transport_;
  CredentialSource& credentials_;
  Clock& clock_;
  Peer peer_;
  std::mutex mutex_;
  std::optional<Challenge> challenge_;
  std::optional<std::optional<Credential>> credential_;
  std::map<std::string, Token> tokens_;
};

std::string percent_encode(std::string_view text);

}  // namespace seed::oci
