#include "ci/secrets.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "ci/escape.hpp"
#include "oci/json.hpp"

namespace seed::ci {
namespace {

using Found = std::set<std::string, std::less<>>;

constexpr std::array<std::string_view, 14> kSecretEndings{"TOKEN",
                                                          "TOKEN_V2",
                                                          "ACCESSTOKEN",
                                                          "JWT",
                                                          "JWT_V2",
                                                          "PASSWORD",
                                                          "PASSWD",
                                                          "SECRET",
                                                          "SECRET_KEY",
                                                          "ACCESS_KEY",
                                                          "API_KEY",
                                                          "PRIVATE_KEY",
                                                          "SSH_KEY",
                                                          "CREDENTIALS"};

/// Whole words at the end, so that MAX_TOKENS is no secret.
bool is_secret_name(std::string_view name) {
  return std::ranges::any_of(kSecretEndings, [&](std::string_view ending) {
    return name.ends_with(ending) &&
           (name.size() == ending.size() || name[name.size() - ending.size() - 1] == '_');
  });
}

void keep(Found& found, std::string_view value) {
  value = trim(value);
  if (value.size() >= kShortestSecret && value != "false") {  // an answer, not a secret
    found.emplace(value);
  }
  if (value.find('\n') != value.npos) {
    for (const std::string_view line : split(value, '\n')) {
      if (trim(line).size() >= kShortestSecret) {
        found.emplace(trim(line));
      }
    }
  }
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' && i + 2 < text.size()
                          ? from_hex(to_lower(text.substr(i + 1, 2)))
                          : std::nullopt;
    if (byte && byte->size() == 1) {
      out += static_cast<char>(byte->front());
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// scheme://user:password@host
void keep_password_of_url(Found& found, std::string_view value) {
  const std::size_t scheme = value.find("://");
  if (scheme == value.npos) {
    return;
  }
  std::string_view authority = value.substr(scheme + 3);
  authority = authority.substr(0, std::min(authority.find_first_of("/?#"), authority.size()));
  const std::size_t at = authority.rfind('@');
  if (at == authority.npos) {
    return;
  }
  const std::string_view user_info = authority.substr(0, at);
  const std::size_t colon = user_info.find(':');
  const std::string_view password =
      colon == user_info.npos ? user_info : user_info.substr(colon + 1);
  keep(found, password);
  keep(found, percent_decoded(password));
}

/// Logins of the form that docker writes: {"auths": {HOST: {"auth": base64(USER:PASSWORD)}}}.
void keep_docker_logins(Found& found, std::string_view text) {
  constexpr std::uint64_t kMaxBytes = 1 << 20;
  keep(found, text);
  try {
    const nlohmann::json config = oci::parse_json(text, kMaxBytes, "DOCKER_AUTH_CONFIG");
    const nlohmann::json auths = config.value("auths", nlohmann::json::object());
    for (const auto& [host, login] : auths.items()) {
      for (const char* member : {"auth", "password", "identitytoken", "registrytoken"}) {
        if (!login.is_object() || !login.contains(member) || !login[member].is_string()) {
          continue;
        }
        const auto value = login[member].get<std::string>();
        keep(found, value);
        if (const auto raw = from_base64(value)) {
          const std::string_view pair = text_of(*raw);
          keep(found, pair.substr(std::min(pair.find(':') + 1, pair.size())));
        }
      }
    }
  } catch (const Error&) {
    // Not ours to judge: what can't be read is not used as a login either.
  } catch (const nlohmann::json::exception&) {
  }
}

/// `access-tokens = github.com=TOKEN gitlab.com=PAT:TOKEN`
void keep_nix_tokens(Found& found, std::string_view config) {
  for (const std::string_view line : split(config, '\n')) {
    const std::size_t equals = line.find('=');
    const std::string_view name = trim(line.substr(0, std::min(equals, line.size())));
    if (equals == line.npos || !name.ends_with("access-tokens")) {
      continue;
    }
    for (const std::string_view entry : split(line.substr(equals + 1), ' ')) {
      const std::string_view token = entry.substr(std::min(entry.find('=') + 1, entry.size()));
      keep(found, token);
      keep(found, token.substr(std::min(token.find(':') + 1, token.size())));
    }
  }
}

/// `Authorization=Basic%20…,x-key=…`
void keep_headers(Found& found, std::string_view headers) {
  for (const std::string_view entry : split(headers, ',')) {
    const std::string_view value = entry.substr(std::min(entry.find('=') + 1, entry.size()));
    const std::string decoded = percent_decoded(value);
    keep(found, value);
    keep(found, decoded);
    keep(found, std::string_view(decoded).substr(decoded.rfind(' ') + 1));
  }
}

}  // namespace

std::vector<std::string> secrets_of(const os::Environment& environment,
                                    std::span<const Login> logins) {
  Found found;
  for (const auto& [name, value] : environment) {
    if (is_secret_name(name)) {
      keep(found, value);
    }
    keep_password_of_url(found, value);
    if (name == "DOCKER_AUTH_CONFIG") {
      keep_docker_logins(found, value);
    } else if (name == "NIX_CONFIG" || name == "NIX_USER_CONF") {
      keep_nix_tokens(found, value);
    } else if (name.starts_with("OTEL_EXPORTER_OTLP_") && name.ends_with("HEADERS")) {
      keep_headers(found, value);
    }
  }
  std::vector<Login> all(logins.begin(), logins.end());
  all.push_back({.host = {},
                 .user = os::get(environment, "NIX_SEED_REGISTRY_USER").value_or(""),
                 .password = os::get(environment, "NIX_SEED_REGISTRY_PASSWORD").value_or("")});
  for (const Login& login : all) {
    if (!login.password.empty()) {
      keep(found, login.password);
      keep(found, to_base64(bytes_of(login.user + ":" + login.password)));
    }
  }
  std::vector<std::string> secrets(found.begin(), found.end());
  std::ranges::stable_sort(secrets, std::greater{}, &std::string::size);
  return secrets;
}

Redactor::Redactor(std::vector<std::string> secrets) : secrets_(std::move(secrets)) {
  std::erase_if(secrets_, [](const std::string& secret) { return secret.empty(); });
  std::ranges::stable_sort(secrets_, std::greater{}, &std::string::size);
}

std::string Redactor::operator()(std::string_view text) const {
  std::string out(text);
  for (const std::string& secret : secrets_) {
    for (std::size_t at = out.find(secret); at != out.npos; at = out.find(secret, at)) {
      out.replace(at, secret.size(), "***");
      at += 3;
    }
  }
  return out;
}

bool Redactor::finds_one_in(std::string_view text) const {
  return std::ranges::any_of(
      secrets_, [&](const std::string& secret) { return text.find(secret) != text.npos; });
}

}  // namespace seed::ci
