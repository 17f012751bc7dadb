#include "sigstore/proto_json.hpp"

#include <charconv>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::sigstore {
namespace {

using nlohmann::json;

/// logIndex -> log_index
std::string proto_name(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      text += '_';
      text += static_cast<char>(c - 'A' + 'a');
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

ProtoMessage::ProtoMessage(const json& json, std::string_view what) : json_(json), what_(what) {
  if (!json_.is_object()) {
    throw FormatError(fmt::format("{} is not a JSON object", what_));
  }
}

void ProtoMessage::wrong(std::string_view name, std::string_view wanted) const {
  throw FormatError(fmt::format("{}: '{}' is not {}", what_, name, wanted));
}

const json* ProtoMessage::find(std::string_view name) {
  const std::string other = proto_name(name);
  asked_.emplace(name);
  auto found = json_.find(name);
  if (other != name) {
    asked_.emplace(other);
    const auto second = json_.find(other);
    if (found != json_.end() && second != json_.end()) {
      throw FormatError(fmt::format("{} has '{}' twice, once as '{}'", what_, name, other));
    }
    found = found == json_.end() ? second : found;
  }
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

std::string ProtoMessage::text(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr) {
    return {};
  }
  if (!value->is_string()) {
    wrong(name, "a text");
  }
  return value->get<std::string>();
}

Bytes ProtoMessage::bytes(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr) {
    return {};
  }
  if (!value->is_string()) {
    wrong(name, "a text");
  }
  auto decoded = from_base64(value->get_ref<const std::string&>());
  if (!decoded) {
    wrong(name, "padded base64");
  }
  return std::move(*decoded);
}

std::int64_t ProtoMessage::int64(std::string_view name) {
  constexpr std::string_view kWanted = "a whole number from 0 to 9223372036854775807";
  const json* value = find(name);
  if (value == nullptr) {
    return 0;
  }
  std::int64_t number = -1;
  if (value->is_number_unsigned() &&
      value->get<std::uint64_t>() <= static_cast<std::uint64_t>(INT64_MAX)) {
    number = value->get<std::int64_t>();
  } else if (value->is_string()) {
    const auto& text = value->get_ref<const std::string&>();
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    // One number has one text: no zeros in front.
    if (code != std::errc() || end != text.data() + text.size() || text[0] == '-' ||
        (text.size() > 1 && text[0] == '0')) {
      number = -1;
    }
  }
  if (number < 0) {
    wrong(name, kWanted);
  }
  return number;
}

std::string ProtoMessage::enumeration(std::string_view name) {
  const json* value = find(name);
  if (value == nullptr) {
    return {};
  }
  if (value->is_number_unsigned()) {
    return std::to_string(value->get<std::uint64_t>());
  }
  if (!value->is_string()) {
    wrong(name, "a name");
  }
  return value->get<std::string>();
}

std::vector<const json*> ProtoMessage::list(std::string_view name, std::size_t limit) {
  const json* value = find(name);
  if (value == nullptr) {
    return {};
  }
  if (!value->is_array()) {
    wrong(name, "a list");
  }
  if (value->size() > limit) {
    throw FormatError(fmt::format(
        "{}: '{}' has {} elements; at most {} are read", what_, name, value->size(), limit));
  }
  std::vector<const json*> elements;
  for (const json& element : *value) {
    elements.push_back(&element);
  }
  return elements;
}

void ProtoMessage::finish() const {
  for (const auto& [key, value] : json_.items()) {
    if (!asked_.contains(key)) {
      throw FormatError(
          fmt::format(
              "{} has the member '{}', which this program does not know", what_, printable(key)),
          "a newer version of nix-seed may know it");
    }
  }
}

}  // namespace seed::sigstore
