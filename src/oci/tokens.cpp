#include "oci/tokens.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/limits.hpp"
#include "oci/registry.hpp"
#include "oci/registry_error.hpp"

namespace seed::oci {
namespace {

using std::chrono::seconds;

struct TokenAnswer {
  std::string token;
  seconds lifetime{60};  // "if unspecified, 60 seconds" (distribution, "Token Authentication")
};

TokenAnswer parse_token_answer(std::string_view body) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  if (!document.is_object()) {
    throw FormatError("the token service's answer is not a JSON object");
  }
  TokenAnswer answer;
  for (const char* name : {"token", "access_token"}) {
    const auto member = document.find(name);
    if (answer.token.empty() && member != document.end() && member->is_string()) {
      answer.token = member->get<std::string>();
    }
  }
  const bool clean = std::all_of(
      answer.token.begin(), answer.token.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (answer.token.empty() || !clean) {
    throw FormatError("the token service's answer has no usable token");
  }
  const auto lifetime = document.find("expires_in");
  if (lifetime != document.end() && lifetime->is_number_integer()) {
    answer.lifetime = seconds(std::clamp<std::int64_t>(lifetime->get<std::int64_t>(), 0, 86'400));
  }
  return answer;
}

std::string basic(const Credential& credential) {
  return "Basic " + to_base64(bytes_of(credential.user + ":" + credential.password));
}

std::string parameter(const Challenge& challenge, const char* name) {
  const auto found = challenge.params.find(name);
  return found == challenge.params.end() ? std::string() : found->second;
}

void erase_all(std::string& text, const std::string& secret) {
  // Shorter ones are no secrets, and would garble the text.
  for (std::size_t at = 0;
       secret.size() >= 4 && (at = text.find(secret, at)) != std::string::npos;) {
    text.replace(at, secret.size(), "***");
  }
}

}  // namespace

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~:/").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

const std::optional<Credential>& Tokens::credential() {
  if (!credential_) {
    credential_ = credentials_.find(peer_.host, peer_.repository);
  }
  return *credential_;
}

std::optional<std::string> Tokens::authorization(const Scopes& scopes) {
  const std::scoped_lock lock(mutex_);
  if (!challenge_) {
    return std::nullopt;
  }
  if (challenge_->scheme == "basic") {
    return basic(*credential());
  }
  const auto known = tokens_.find(fmt::format("{}", fmt::join(scopes, " ")));
  if (known != tokens_.end() && clock_.now() < known->second.ends) {
    return "Bearer " + known->second.value;
  }
  return "Bearer " + fetch(scopes);
}

bool Tokens::renew(const Scopes& scopes,
                   const std::optional<std::string>& used,
                   const std::optional<std::string>& www_authenticate) {
  const std::scoped_lock lock(mutex_);
  const auto challenges = parse_challenges(www_authenticate.value_or(""));
  if (!adopt(challenges)) {
    return false;
  }
  if (challenge_->scheme == "basic") {
    return used != basic(*credential());
  }
  const auto known = tokens_.find(fmt::format("{}", fmt::join(scopes, " ")));
  // Another thread may have renewed it since this request was sent.
  if (known != tokens_.end() && used == "Bearer " + known->second.value) {
    tokens_.erase(known);
  }
  return true;
}

/// The strongest challenge that we can answer.
bool Tokens::adopt(const std::vector<Challenge>& challenges) {
  for (const Challenge& challenge : challenges) {
    if (challenge.scheme == "bearer" && !parameter(challenge, "realm").empty()) {
      check_realm(parameter(challenge, "realm"));
      challenge_ = challenge;
      return true;
    }
  }
  for (const Challenge& challenge : challenges) {
    if (challenge.scheme == "basic" && credential() && credential()->identity_token.empty()) {
      challenge_ = challenge;
      return true;
    }
  }
  return false;
}

/// The registry chooses where our password goes; at least it can't choose to have it sent in clear.
void Tokens::check_realm(const std::string& realm) const {
  const http::Url url = http::Url::parse(realm);
  if (url.scheme == "http" && !peer_.plain_http) {
    throw NetworkError(fmt::format("{} wants our login sent without TLS to {}",
                                   peer_.host,
                                   printable(http::redact_url(realm))),
                       "the registry's token realm must be an https URL");
  }
}

http::Response Tokens::request_token(const Scopes& scopes) {
  const std::string realm = parameter(*challenge_, "realm");
  const std::string service = parameter(*challenge_, "service");
  http::Request request;
  request.max_response_bytes = kMaxTokenBytes;
  request.url = realm;
  if (credential() && !credential()->identity_token.empty()) {
    const std::string form = fmt::format(
        "grant_type=refresh_token&service={}&client_id=nix-seed&scope={}&refresh_token={}",
        percent_encode(service),
        percent_encode(fmt::format("{}", fmt::join(scopes, " "))),
        percent_encode(credential()->identity_token));
    request.method = http::Method::post;
    request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    request.body_size_bytes = form.size();
    request.body = [&form] { return source_of(form); };
    return transport_.send(request);
  }
  char separator = realm.find('?') == std::string::npos ? '?' : '&';
  const auto append = [&](const char* name, const std::string& value) {
    request.url += fmt::format("{}{}={}", separator, name, percent_encode(value));
    separator = '&';
  };
  if (!service.empty()) {
    append("service", service);
  }
  for (const std::string& scope : scopes) {
    append("scope", scope);
  }
  if (credential()) {
    request.headers.set("Authorization", basic(*credential()));
  }
  return transport_.send(request);
}

std::string Tokens::fetch(const Scopes& scopes) {
  const Time asked = clock_.now();
  const http::Response response = request_token(scopes);
  if (response.status != 200) {
    const std::string why = scrub(describe_errors(response.body));
    throw NetworkError(
        fmt::format("{} gives no token for {}: {}{}{}",
                    printable(http::redact_url(parameter(*challenge_, "realm"))),
                    fmt::join(scopes, " "),
                    response.status,
                    why.empty() ? "" : " ",
                    why),
        credential() ? fmt::format("the login for {} was refused; 'docker login {}' renews it",
                                   peer_.host,
                                   peer_.host)
                     : fmt::format("no login for {} was found; 'docker login {}' stores one",
                                   peer_.host,
                                   peer_.host),
        response.status);
  }
  const TokenAnswer answer = parse_token_answer(response.body);
  // A request that starts just before the end arrives after it.
  const seconds margin = std::min(answer.lifetime / 4, seconds(10));
  tokens_.insert_or_assign(fmt::format("{}", fmt::join(scopes, " ")),
                           Token{.value = answer.token, .ends = asked + answer.lifetime - margin});
  return answer.token;
}

std::string Tokens::without_secrets(std::string text) {
  const std::scoped_lock lock(mutex_);
  return scrub(std::move(text));
}

std::string Tokens::scrub(std::string text) const {
  for (const auto& [scopes, token] : tokens_) {
    erase_all(text, token.value);
  }
  if (credential_ && *credential_) {
    erase_all(text, (*credential_)->password);
    erase_all(text, (*credential_)->identity_token);
    erase_all(text, basic(**credential_).substr(std::string_view("Basic ").size()));
  }
  return text;
}

}  // namespace seed::oci
