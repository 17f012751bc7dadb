#include "sigstore/json.hpp"

#include <functional>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "support/catch.hpp"

using namespace seed;
using namespace seed::sigstore;

namespace {

std::string refusal(const std::function<void()>& step) {
  try {
    step();
  } catch (const FormatError& error) {
    return error.message();
  }
  return "accepted";
}

std::string refusal_of(std::string_view text) {
  return refusal([&] { parse_json(text, 1000, "thing"); });
}

}  // namespace

TEST_CASE("JSON is read strictly") {
  CHECK(parse_json(R"({"a":[1,{"a":2}],"b":"x"})", 1000, "thing").size() == 2);
  CHECK(refusal_of("{") == "thing is not JSON: '{'");
  CHECK(refusal_of("{} x") == "thing is not JSON: '{} x'");
  CHECK(refusal_of("[]") == "thing is not a JSON object");
  CHECK(refusal_of("{\"a\":\"\xff\"}") != "accepted");
  CHECK(refusal_of(R"({"a":1,"b":{"c":1,"c":1}})") == "thing has 'c' twice");
  CHECK(refusal_of(R"({"a":")" + std::string(1000, 'x') + "\"}") ==
        "thing has 1008 bytes; at most 1000 are read");
  std::string deep = "{\"a\":";
  CHECK(refusal_of(deep + std::string(63, '[') + std::string(63, ']') + "}") == "accepted");
  CHECK(refusal_of(deep + std::string(64, '[') + std::string(64, ']') + "}") ==
        "thing has more than 64 levels");
}

TEST_CASE("a member is there and has its type, or the refusal names it") {
  const auto value = nlohmann::json::parse(
      R"({"text":"x","list":[],"object":{},"bytes":"AQI=","number":7,"digits":"9223372036854775807",
          "null":null})");
  CHECK(string_member(value, "text") == "x");
  CHECK(list_member(value, "list").empty());
  CHECK(object_member(value, "object").empty());
  CHECK(base64_member(value, "bytes") == Bytes{std::byte{1}, std::byte{2}});
  CHECK(integer_member(value, "number") == 7);
  CHECK(integer_member(value, "digits") == INT64_MAX);
  CHECK(find_member(value, "null") == nullptr);
  CHECK(find_member(value, "none") == nullptr);
  CHECK(refusal([&] { string_member(value, "none"); }) == "'none' is missing");
  CHECK(refusal([&] { string_member(value, "list"); }) == "'list' is not a text");
  CHECK(refusal([&] { list_member(value, "text"); }) == "'text' is not a list");
  CHECK(refusal([&] { object_member(value, "text"); }) == "'text' is not an object");
  CHECK(refusal([&] { base64_member(value, "text"); }) == "'text' is not base64");
  CHECK(refusal([&] { find_member(value["list"], "x"); }) ==
        "a JSON object was expected around 'x'");
}

TEST_CASE("a whole number has one form") {
  for (const char* text : {"-1",
                           "1.0",
                           "1e3",
                           "9223372036854775808",
                           "\"\"",
                           "\"-1\"",
                           "\"+1\"",
                           "\"01\"",
                           "\"1 \"",
                           "\"9223372036854775808\"",
                           "true",
                           "[]"}) {
    INFO(text);
    const auto value = nlohmann::json::parse(std::string("{\"n\":") + text + "}");
    CHECK(refusal([&] { integer_member(value, "n"); }) ==
          "'n' is not a whole number from 0 to 9223372036854775807");
  }
}
