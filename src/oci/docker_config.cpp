#include "oci/docker_config.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::oci {
namespace {

using nlohmann::json;

json parse_object(std::string_view text, std::string_view what) {
  json document = json::parse(text, nullptr, false);
  if (!document.is_object()) {
    throw FormatError(fmt::format("{} is not a JSON object", what));
  }
  return document;
}

std::string text_member(const json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || member->is_null()) {
    return {};
  }
  if (!member->is_string()) {
    throw FormatError(fmt::format("'{}' is not a string", name));
  }
  return member->get<std::string>();
}

const json& object_member(const json& object, const char* name) {
  static const json empty = json::object();
  const auto member = object.find(name);
  if (member == object.end() || member->is_null()) {
    return empty;
  }
  if (!member->is_object()) {
    throw FormatError(fmt::format("'{}' is not an object", name));
  }
  return *member;
}

std::string normal_host(std::string_view host) {
  const bool hub =
      host == "docker.io" || host == "index.docker.io" || host == "registry-1.docker.io";
  return hub ? "docker.io" : std::string(host);
}

std::string normal_key(std::string_view key) {
  bool legacy = false;
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) {
      key.remove_prefix(scheme.size());
      legacy = true;
    }
  }
  const std::size_t slash = key.find('/');
  const std::string host = normal_host(key.substr(0, slash));
  if (legacy || slash == std::string_view::npos) {
    return host;
  }
  std::string_view path = key.substr(slash);
  while (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  return host + std::string(path);
}

/// docker pads what it writes with NUL bytes in old versions.
std::string without_nul_tail(std::string text) {
  text.erase(text.find_last_not_of('\0') + 1);
  return text;
}

Credential parse_auth(const json& entry, std::string_view key) {
  if (!entry.is_object()) {
    throw FormatError(fmt::format("the entry of '{}' is not an object", printable(key)));
  }
  if (std::string token = text_member(entry, "identitytoken"); !token.empty()) {
    return {.user = {}, .password = {}, .identity_token = std::move(token)};
  }
  Credential credential{.user = text_member(entry, "username"),
                        .password = text_member(entry, "password"),
                        .identity_token = {}};
  if (const std::string auth = text_member(entry, "auth"); !auth.empty()) {
    const auto decoded = from_base64(auth);
    const std::string pair(decoded ? text_of(*decoded) : std::string_view());
    const std::size_t colon = pair.find(':');
    if (colon == std::string::npos) {
      // The value itself is a secret, so it isn't shown.
      throw FormatError(
          fmt::format("'auth' of '{}' is not base64 of user:password", printable(key)));
    }
    credential.user = pair.substr(0, colon);
    credential.password = without_nul_tail(pair.substr(colon + 1));
  }
  return credential;
}

std::string check_helper_name(std::string name) {
  const bool valid = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
  if (!valid) {
    throw FormatError(fmt::format("bad name of a credential helper '{}'", printable(name)));
  }
  return name;
}

}  // namespace

DockerConfig parse_docker_config(std::string_view text) {
  const json document = parse_object(text, "the file");
  DockerConfig config;
  for (const auto& [key, entry] : object_member(document, "auths").items()) {
    Credential credential = parse_auth(entry, key);
    const bool empty = credential.user.empty() && credential.identity_token.empty();
    if (!empty) {
      config.auths.emplace(normal_key(key), std::move(credential));
    }
  }
  for (const auto& [key, helper] : object_member(document, "credHelpers").items()) {
    if (!helper.is_string()) {
      throw FormatError(fmt::format("the helper of '{}' is not a string", printable(key)));
    }
    config.helpers.emplace(normal_key(key), check_helper_name(helper.get<std::string>()));
  }
  config.store = check_helper_name(text_member(document, "credsStore"));
  return config;
}

Credential parse_helper_answer(std::string_view text) {
  const json answer = parse_object(text, "the answer");
  const std::string user = text_member(answer, "Username");
  std::string secret = text_member(answer, "Secret");
  if (user == "<token>") {
    return {.user = {}, .password = {}, .identity_token = std::move(secret)};
  }
  return {.user = user, .password = std::move(secret), .identity_token = {}};
}

std::vector<std::string> credential_keys(const std::string& host, const std::string& repository) {
  std::vector<std::string> keys;
  if (repository.starts_with(host + "/")) {
    std::string key = normal_host(host) + repository.substr(host.size());
    while (key.find('/') != std::string::npos) {
      keys.push_back(key);
      key.erase(key.rfind('/'));
    }
  }
  keys.push_back(normal_host(host));
  return keys;
}

}  // namespace seed::oci
