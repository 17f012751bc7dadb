#include "sigstore/json.hpp"

#include <charconv>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "sigstore/limits.hpp"

namespace seed::sigstore {
namespace {

using nlohmann::json;

[[noreturn]] void wrong_type(const char* key, std::string_view wanted) {
  throw FormatError(fmt::format("'{}' is not {}", key, wanted));
}

}  // namespace

json parse_json(std::string_view text, std::uint64_t limit_bytes, std::string_view what) {
  json value = read_strict_json(text, limit_bytes, kMaxJsonDepth, what);
  if (!value.is_object()) {
    throw FormatError(fmt::format("{} is not a JSON object", what));
  }
  return value;
}

const json* find_member(const json& object, const char* key) {
  if (!object.is_object()) {
    throw FormatError(fmt::format("a JSON object was expected around '{}'", key));
  }
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const json& member(const json& object, const char* key) {
  const json* found = find_member(object, key);
  if (found == nullptr) {
    throw FormatError(fmt::format("'{}' is missing", key));
  }
  return *found;
}

const json& object_member(const json& object, const char* key) {
  const json& value = member(object, key);
  if (!value.is_object()) {
    wrong_type(key, "an object");
  }
  return value;
}

const json& list_member(const json& object, const char* key) {
  const json& value = member(object, key);
  if (!value.is_array()) {
    wrong_type(key, "a list");
  }
  return value;
}

const std::string& string_member(const json& object, const char* key) {
  const json& value = member(object, key);
  if (!value.is_string()) {
    wrong_type(key, "a text");
  }
  return value.get_ref<const std::string&>();
}

Bytes base64_member(const json& object, const char* key) {
  auto bytes = from_base64(string_member(object, key));
  if (!bytes) {
    wrong_type(key, "base64");
  }
  return std::move(*bytes);
}

std::int64_t integer_member(const json& object, const char* key) {
  const json& value = member(object, key);
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number <= static_cast<std::uint64_t>(INT64_MAX)) {
      return static_cast<std::int64_t>(number);
    }
  }
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    const bool one_form = text == "0" || (!text.empty() && text[0] >= '1' && text[0] <= '9');
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (one_form && error == std::errc{} && end == text.data() + text.size()) {
      return number;
    }
  }
  wrong_type(key, "a whole number from 0 to 9223372036854775807");
}

}  // namespace seed::sigstore
