#include "oci/json.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/json.hpp"

namespace seed::oci {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxDepth = 64;

const json& member(const json& object, const char* key) {
  const json* found = find_member(object, key);
  if (found == nullptr) {
    throw FormatError(fmt::format("'{}' is missing", key));
  }
  return *found;
}

}  // namespace

json parse_json(std::string_view text, std::uint64_t limit_bytes, std::string_view what) {
  return read_strict_json(text, limit_bytes, kMaxDepth, what);
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
