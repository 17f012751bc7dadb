#include "nix/json.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::nix {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 256;

[[noreturn]] void refuse(std::string_view where, std::string_view problem) {
  throw FormatError(fmt::format("{}: {}", printable(where), problem));
}

/// Before parsing: the parser's own callback costs quadratic time in large objects.
void refuse_deep(std::string_view text, std::string_view what) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1 : 0;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) {
        refuse(what, fmt::format("JSON is nested deeper than {} levels", kMaxDepth));
      }
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
}

}  // namespace

json parse_json(std::string_view text, std::string_view what) {
  refuse_deep(text, what);
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    // Its own text is of several sentences and may quote control characters.
    if (error.byte >= text.size()) {
      refuse(what, "the text ends in the middle of a JSON value (truncated?)");
    }
    refuse(what, fmt::format("not JSON at byte {}", error.byte));
  } catch (const json::exception&) {
    refuse(what, "not JSON: a number is out of range");
  }
}

const json& expect_object(const json& value, std::string_view where) {
  if (!value.is_object()) {
    refuse(where, fmt::format("expected an object, found {}", value.type_name()));
  }
  return value;
}

const json& member(const json& object, const std::string& name, std::string_view where) {
  expect_object(object, where);
  const auto found = object.find(name);
  if (found == object.end()) {
    refuse(where, fmt::format("member '{}' is missing", name));
  }
  return *found;
}

std::string string_member(const json& object, const std::string& name, std::string_view where) {
  const json& value = member(object, name, where);
  if (!value.is_string()) {
    refuse(where, fmt::format("member '{}' is not a string but {}", name, value.type_name()));
  }
  return value.get<std::string>();
}

std::string optional_string(const json& object, const std::string& name, std::string_view where) {
  expect_object(object, where);
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? std::string()
                                                   : string_member(object, name, where);
}

}  // namespace seed::nix
