#include "sigstore/signing_config.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "http/http.hpp"
#include "sigstore/embedded.hpp"
#include "sigstore/json.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::sigstore {
namespace {

using nlohmann::json;

constexpr std::string_view kMediaType = "application/vnd.dev.sigstore.signingconfig.v0.2+json";

/// A token and what is signed go there: in the clear only within this machine.
void check_url(const std::string& text) {
  const http::Url url = http::Url::parse(text);
  if (url.scheme != "https" && !http::is_loopback(url.host)) {
    throw FormatError(fmt::format("'{}' is not https", printable(http::redact_url(text))));
  }
}

Validity parse_validity(const json& service) {
  Validity validity;
  const json* range = find_member(service, "validFor");
  if (range == nullptr) {
    return validity;
  }
  if (find_member(*range, "start") != nullptr) {
    validity.start = parse_rfc3339(string_member(*range, "start"));
  }
  if (find_member(*range, "end") != nullptr) {
    validity.end = parse_rfc3339(string_member(*range, "end"));
  }
  return validity;
}

Service parse_service(const json& value) {
  Service service;
  service.url = string_member(value, "url");
  check_url(service.url);
  const std::int64_t version = integer_member(value, "majorApiVersion");
  if (version < 1 || version > kMaxApiVersion) {
    throw FormatError(
        fmt::format("'majorApiVersion' is {}, not from 1 to {}", version, kMaxApiVersion));
  }
  service.major_api_version = static_cast<unsigned>(version);
  service.validity = parse_validity(value);
  service.operator_name = http::Url::parse(service.url).host;
  if (find_member(value, "operator") != nullptr) {
    if (const auto& name = string_member(value, "operator"); !name.empty()) {
      service.operator_name = name;
    }
  }
  return service;
}

std::vector<Service> parse_services(const json& config, const char* key) {
  std::vector<Service> services;
  if (find_member(config, key) == nullptr) {
    return services;
  }
  const json& list = list_member(config, key);
  if (list.size() > kMaxServices) {
    throw FormatError(
        fmt::format("'{}' names {} services; at most {} are read", key, list.size(), kMaxServices));
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    services.push_back(while_doing(fmt::format("reading '{}[{}]'", key, i),
                                   [&] { return parse_service(list[i]); }));
  }
  return services;
}

ServiceConfig parse_service_config(const json& config, const char* key) {
  const json* value = find_member(config, key);
  if (value == nullptr) {
    return {};
  }
  return while_doing(fmt::format("reading '{}'", key), [&]() -> ServiceConfig {
    const std::string& selector = string_member(*value, "selector");
    if (selector == "ANY") {
      return {.selector = Selector::any};
    }
    if (selector == "ALL") {
      return {.selector = Selector::all};
    }
    if (selector != "EXACT") {
      throw FormatError(
          fmt::format("'selector' is '{}', not ANY, ALL or EXACT", printable(selector)));
    }
    const std::int64_t count = integer_member(*value, "count");
    if (count < 1 || count > static_cast<std::int64_t>(kMaxServices)) {
      throw FormatError(fmt::format("'count' is {}, not from 1 to {}", count, kMaxServices));
    }
    return {.selector = Selector::exact, .count = static_cast<unsigned>(count)};
  });
}

std::size_t needed_of(const ServiceConfig& config, std::size_t available) {
  switch (config.selector) {
    case Selector::any:
      return 1;
    case Selector::all:
      return std::max<std::size_t>(available, 1);
    case Selector::exact:
      break;
  }
  return config.count;
}

}  // namespace

SigningConfig parse_signing_config(std::string_view text) {
  return while_doing("reading the signing configuration", [&] {
    const json config = parse_json(text, kMaxSigningConfigBytes, "the file");
    const json* type = find_member(config, "mediaType");
    if (type == nullptr || !type->is_string() ||
        type->get_ref<const std::string&>() != kMediaType) {
      throw FormatError(
          fmt::format("'mediaType' is {}, not '{}'",
                      type == nullptr || !type->is_string()
                          ? std::string("missing")
                          : fmt::format("'{}'", printable(type->get<std::string>())),
                      kMediaType),
          "version 0.1 has no API versions to choose by: take signing_config.v0.2.json");
    }
    return SigningConfig{.certificate_authorities = parse_services(config, "caUrls"),
                         .oidc_providers = parse_services(config, "oidcUrls"),
                         .logs = parse_services(config, "rekorTlogUrls"),
                         .timestamp_authorities = parse_services(config, "tsaUrls"),
                         .log_config = parse_service_config(config, "rekorTlogConfig"),
                         .timestamp_config = parse_service_config(config, "tsaConfig")};
  });
}

Selection select_services(std::span<const Service> services,
                          const ServiceConfig& config,
                          std::span<const unsigned> supported,
                          Time now,
                          std::string_view what) {
  std::vector<Service> usable;
  for (const Service& service : services) {
    if (service.validity.contains(now) &&
        std::ranges::find(supported, service.major_api_version) != supported.end()) {
      usable.push_back(service);
    }
  }
  // One who has no start is as old as can be: what is dated was put there since.
  std::ranges::stable_sort(usable, [](const Service& a, const Service& b) {
    if (a.major_api_version != b.major_api_version) {
      return a.major_api_version > b.major_api_version;
    }
    return a.validity.start > b.validity.start;
  });
  Selection selection;
  std::set<std::string_view> operators;
  for (const Service& service : usable) {
    if (service.major_api_version == usable.front().major_api_version &&
        operators.insert(service.operator_name).second) {
      selection.services.push_back(service);
    }
  }
  selection.needed = needed_of(config, selection.services.size());
  if (selection.services.size() < selection.needed) {
    throw UsageError(
        fmt::format("the signing configuration has {} {} of API version {} in service at {}, each "
                    "of another operator; {} needed",
                    selection.services.size(),
                    what,
                    fmt::join(supported, " or "),
                    to_rfc3339(now),
                    selection.needed == 1 ? "1 is" : fmt::format("{} are", selection.needed)),
        "name another configuration with --signing-config");
  }
  return selection;
}

const SigningConfig& embedded_signing_config() {
  static const SigningConfig config = parse_signing_config(embedded::kSigningConfig);
  return config;
}

}  // namespace seed::sigstore
