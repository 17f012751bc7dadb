#include "oci/registry_error.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace seed::oci {
namespace {

constexpr std::size_t kMaxErrors = 16;

std::string text_member(const nlohmann::json& object, const char* name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

}  // namespace

std::vector<RegistryError> parse_registry_errors(std::string_view body) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  std::vector<RegistryError> errors;
  if (!document.is_object()) {
    return errors;
  }
  const auto list = document.find("errors");
  if (list == document.end() || !list->is_array()) {
    return errors;
  }
  for (const auto& entry : *list) {
    if (entry.is_object() && errors.size() < kMaxErrors) {
      errors.push_back(
          {.code = text_member(entry, "code"), .message = text_member(entry, "message")});
    }
  }
  return errors;
}

bool has_code(const std::vector<RegistryError>& errors, std::string_view code) {
  return std::any_of(
      errors.begin(), errors.end(), [&](const RegistryError& error) { return error.code == code; });
}

std::string describe_errors(std::string_view body) {
  std::string text;
  for (const auto& [code, message] : parse_registry_errors(body)) {
    text += text.empty() ? "" : "; ";
    text += printable(code, 60);
    text += !code.empty() && !message.empty() ? ": " : "";
    text += printable(message);
  }
  const std::string_view plain = trim(body);
  if (text.empty() && !plain.empty() && plain.front() != '<' && plain.front() != '{') {
    text = printable(split(plain, '\n').front());
  }
  return text;
}

}  // namespace seed::oci
