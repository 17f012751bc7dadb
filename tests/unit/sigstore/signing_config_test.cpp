#include "sigstore/signing_config.hpp"

#include <array>
#include <functional>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "sigstore/rfc3339.hpp"
#include "support/catch.hpp"

using namespace seed;
using namespace seed::sigstore;
using nlohmann::json;

namespace {

constexpr std::array<unsigned, 1> kOne{1};
constexpr std::array<unsigned, 2> kBoth{1, 2};
const Time kNow = parse_rfc3339("2026-11-01T00:00:00Z");

std::string refusal(const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& error) {
    return error.message();
  }
  return "accepted";
}

json service(const std::string& url) {
  return {{"url", url},
          {"majorApiVersion", 1},
          {"validFor", {{"start", "2025-01-01T00:00:00Z"}}},
          {"operator", url}};
}

json valid() {
  return {{"mediaType", "application/vnd.dev.sigstore.signingconfig.v0.2+json"},
          {"caUrls", {service("https://ca.example")}},
          {"rekorTlogUrls", {service("https://a.example"), service("https://b.example")}},
          {"rekorTlogConfig", {{"selector", "EXACT"}, {"count", 2}}}};
}

std::string refusal_of(const json& config) {
  return refusal([&] { parse_signing_config(config.dump()); });
}

Service make(std::string url, unsigned version, const char* start, const char* end = nullptr) {
  Service result{.url = url, .major_api_version = version, .operator_name = url};
  if (start != nullptr) {
    result.validity.start = parse_rfc3339(start);
  }
  if (end != nullptr) {
    result.validity.end = parse_rfc3339(end);
  }
  return result;
}

std::string urls(const Selection& selection) {
  std::string text = std::to_string(selection.needed) + " of";
  for (const Service& service : selection.services) {
    text += " " + service.url;
  }
  return text;
}

}  // namespace

TEST_CASE("a signing configuration is read") {
  const SigningConfig config = parse_signing_config(valid().dump());
  REQUIRE(config.certificate_authorities.size() == 1);
  CHECK(config.certificate_authorities[0] ==
        Service{.url = "https://ca.example",
                .major_api_version = 1,
                .validity = {.start = parse_rfc3339("2025-01-01T00:00:00Z")},
                .operator_name = "https://ca.example"});
  CHECK(config.logs.size() == 2);
  CHECK(config.log_config == ServiceConfig{.selector = Selector::exact, .count = 2});
  CHECK(config.timestamp_authorities.empty());
  CHECK(config.timestamp_config == ServiceConfig{});
}

TEST_CASE("what is wrong with a signing configuration is named") {
  json config = valid();
  SECTION("version 0.1") {
    config = {{"caUrl", "https://ca.example"}};
    CHECK(refusal_of(config) ==
          "reading the signing configuration: 'mediaType' is missing, not "
          "'application/vnd.dev.sigstore.signingconfig.v0.2+json'");
  }
  SECTION("a later version") {
    config["mediaType"] = "application/vnd.dev.sigstore.signingconfig.v0.3+json";
    CHECK(refusal_of(config) ==
          "reading the signing configuration: 'mediaType' is "
          "'application/vnd.dev.sigstore.signingconfig.v0.3+json', not "
          "'application/vnd.dev.sigstore.signingconfig.v0.2+json'");
  }
  SECTION("a token in the clear") {
    config["caUrls"][0]["url"] = "http://ca.example";
    CHECK(refusal_of(config) ==
          "reading the signing configuration: reading 'caUrls[0]': 'http://ca.example' is not "
          "https");
    config["caUrls"][0]["url"] = "http://127.0.0.1:5555";
    CHECK(refusal_of(config) == "accepted");
  }
  SECTION("no version of the API") {
    config["caUrls"][0].erase("majorApiVersion");
    CHECK(refusal_of(config) ==
          "reading the signing configuration: reading 'caUrls[0]': 'majorApiVersion' is missing");
    config["caUrls"][0]["majorApiVersion"] = 0;
    CHECK(
        refusal_of(config) ==
        "reading the signing configuration: reading 'caUrls[0]': 'majorApiVersion' is 0, not from "
        "1 to 1000");
    config["caUrls"][0]["majorApiVersion"] = 1001;
    CHECK(refusal_of(config) != "accepted");
  }
  SECTION("a time that is none") {
    config["rekorTlogUrls"][1]["validFor"]["end"] = "soon";
    CHECK(
        refusal_of(config) ==
        "reading the signing configuration: reading 'rekorTlogUrls[1]': 'soon' is not a time such "
        "as 2022-12-31T23:59:59Z");
  }
  SECTION("a selector") {
    config["rekorTlogConfig"]["selector"] = "SOME";
    CHECK(refusal_of(config) ==
          "reading the signing configuration: reading 'rekorTlogConfig': 'selector' is 'SOME', not "
          "ANY, ALL or EXACT");
  }
  SECTION("a count") {
    config["rekorTlogConfig"]["count"] = 0;
    CHECK(refusal_of(config) ==
          "reading the signing configuration: reading 'rekorTlogConfig': 'count' is 0, not from 1 "
          "to 64");
    config["rekorTlogConfig"].erase("count");
    CHECK(refusal_of(config) ==
          "reading the signing configuration: reading 'rekorTlogConfig': 'count' is missing");
  }
  SECTION("too many services") {
    config["caUrls"] = json::array();
    for (int i = 0; i < 65; ++i) {
      config["caUrls"].push_back(service("https://ca.example"));
    }
    CHECK(refusal_of(config) ==
          "reading the signing configuration: 'caUrls' names 65 services; at most 64 are read");
    config["caUrls"].erase(0);
    CHECK(refusal_of(config) == "accepted");
  }
}

TEST_CASE("only what is in service is selected, at both ends of its time") {
  const std::vector<Service> services{
      make("past", 1, "2020-01-01T00:00:00Z", "2026-10-31T23:59:59Z"),
      make("ending", 1, "2020-01-01T00:00:00Z", "2026-11-01T00:00:00Z"),
      make("starting", 1, "2026-11-01T00:00:00Z"),
      make("future", 1, "2026-11-01T00:00:01Z"),
      make("always", 1, nullptr)};
  CHECK(urls(select_services(services, {Selector::all, 0}, kOne, kNow, "logs")) ==
        "3 of starting ending always");
}

TEST_CASE("the highest version that is supported is taken, and versions are not mixed") {
  const std::vector<Service> services{make("one", 1, "2026-01-01T00:00:00Z"),
                                      make("two", 2, "2025-01-01T00:00:00Z"),
                                      make("two too", 2, "2025-02-01T00:00:00Z"),
                                      make("three", 3, "2026-02-01T00:00:00Z")};
  CHECK(urls(select_services(services, {Selector::any, 0}, kBoth, kNow, "logs")) ==
        "1 of two too two");
  CHECK(urls(select_services(services, {Selector::any, 0}, kOne, kNow, "logs")) == "1 of one");
}

TEST_CASE("of one operator the newest service is taken") {
  std::vector<Service> services{make("old", 1, "2024-01-01T00:00:00Z"),
                                make("new", 1, "2026-01-01T00:00:00Z"),
                                make("other", 1, "2025-01-01T00:00:00Z")};
  services[0].operator_name = services[1].operator_name = "o";
  CHECK(urls(select_services(services, {Selector::all, 0}, kOne, kNow, "logs")) ==
        "2 of new other");
  CHECK(urls(select_services(services, {Selector::exact, 2}, kOne, kNow, "logs")) ==
        "2 of new other");
}

TEST_CASE("too few services are refused with how many there are") {
  const std::vector<Service> services{make("one", 1, "2026-01-01T00:00:00Z")};
  CHECK(refusal([&] { select_services(services, {Selector::exact, 2}, kBoth, kNow, "logs"); }) ==
        "the signing configuration has 1 logs of API version 1 or 2 in service at "
        "2026-11-01T00:00:00Z, each of another operator; 2 are needed");
  for (const Selector selector : {Selector::any, Selector::all}) {
    CHECK(refusal([&] { select_services({}, {selector, 0}, kOne, kNow, "logs"); }) ==
          "the signing configuration has 0 logs of API version 1 in service at "
          "2026-11-01T00:00:00Z, each of another operator; 1 is needed");
  }
}

TEST_CASE("the built-in configuration leads to Sigstore's public services") {
  const SigningConfig& config = embedded_signing_config();
  const auto only = [&](const std::vector<Service>& services) {
    return urls(select_services(services, {}, kBoth, kNow, "services"));
  };
  CHECK(only(config.certificate_authorities) == "1 of https://fulcio.sigstore.dev");
  CHECK(only(config.oidc_providers) == "1 of https://oauth2.sigstore.dev/auth");
  CHECK(only(config.logs) == "1 of https://rekor.sigstore.dev");
  CHECK(only(config.timestamp_authorities) ==
        "1 of https://timestamp.sigstore.dev/api/v1/timestamp");
}
