#include "oci/json.hpp"

#include <set>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::oci {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 64;

/// Watches the parser: depth, and members that come twice.
class StrictReader {
 public:
  explicit StrictReader(std::string_view what) : what_(what) {}

  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    switch (event) {
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start:
        if (depth >= kMaxDepth) {
          throw FormatError(fmt::format("{} has more than {} levels", what_, kMaxDepth));
        }
        if (event == json::parse_event_t::object_start) {
          keys_.emplace_back();
        }
        break;
      case json::parse_event_t::key: {
        const auto& key = parsed.get_ref<const std::string&>();
        if (!keys_.back().insert(key).second) {
          throw FormatError(fmt::format("{} has '{}' twice", what_, printable(key)));
        }
        break;
      }
      case json::parse_event_t::object_end:
        keys_.pop_back();
        break;
      default:
        break;
    }
    return true;
  }

 private:
  std::string_view what_;
  std::vector<std::set<std::string>> keys_;
};

const json& member(const json& object, const char* key) {
  const json* found = find_member(object, key);
  if (found == nullptr) {
    throw FormatError(fmt::format("'{}' is missing", key));
  }
  return *found;
}

}  // namespace

json parse_json(std::string_view text, std::uint64_t limit_bytes, std::string_view what) {
  if (text.size() > limit_bytes) {
    throw FormatError(
        fmt::format("{} has {} bytes; at most {} are read", what, text.size(), limit_bytes));
  }
  StrictReader reader(what);
  json value;
  try {
    value = json::parse(text, std::ref(reader));
  } catch (const json::exception&) {
    throw FormatError(fmt::format("{} is not JSON: '{}'", what, printable(text, 60)));
  }
  if (!value.is_structured()) {
    throw FormatError(fmt::format("{} is not a JSON object", what));
  }
  return value;
}

std::string to_canonical_json(const json& value) {
  try {
    return value.dump();
  } catch (const json::exception&) {
    throw Error("writing JSON: a text is not UTF-8");
  }
}

const json* find_member(const json& object, const char* key) {
  if (!object.is_object()) {
    throw FormatError(fmt::format("a JSON object was expected around '{}'", key));
  }
  const auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const std::string& string_member(const json& object, const char* key) {
  const json& value = member(object, key);
  if (!value.is_string()) {
    throw FormatError(fmt::format("'{}' is not a text", key));
  }
  return value.get_ref<const std::string&>();
}

std::uint64_t size_member(const json& object, const char* key) {
  const json& value = member(object, key);
  // descriptor.md: size is an int64.
  if (!value.is_number_unsigned() ||
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    throw FormatError(fmt::format("'{}' is not a size", key));
  }
  return value.get<std::uint64_t>();
}

Digest digest_member(const json& object, const char* key) {
  return while_doing(fmt::format("reading '{}'", key),
                     [&] { return Digest::parse(string_member(object, key)); });
}

}  // namespace seed::oci
