#include "sigstore/canonical_json.hpp"

#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace seed::sigstore {
namespace {

using nlohmann::json;

void append_text(std::string& out, const std::string& text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  out += '"';
}

/// Recursion is as deep as the reader of `value` let it be.
void append(std::string& out, const json& value) {
  switch (value.type()) {
    case json::value_t::object: {
      char before = '{';
      for (const auto& [key, member] : value.items()) {  // a std::map: sorted bytewise
        out += before;
        append_text(out, key);
        out += ':';
        append(out, member);
        before = ',';
      }
      out += value.empty() ? "{}" : "}";
      break;
    }
    case json::value_t::array: {
      char before = '[';
      for (const json& element : value) {
        out += before;
        append(out, element);
        before = ',';
      }
      out += value.empty() ? "[]" : "]";
      break;
    }
    case json::value_t::string:
      append_text(out, value.get_ref<const std::string&>());
      break;
    case json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      break;
    case json::value_t::number_integer:
      out += std::to_string(value.get<std::int64_t>());
      break;
    case json::value_t::number_unsigned:
      out += std::to_string(value.get<std::uint64_t>());
      break;
    case json::value_t::null:
      out += "null";
      break;
    default:
      throw FormatError("canonical JSON has whole numbers only");
  }
}

}  // namespace

std::string canonical_json(const json& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace seed::sigstore
