#include "ci/file_command.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::ci {
namespace {

/// Narrower than the grammar: what any host's variables can be called as well.
bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::string file_commands(std::span<const Output> outputs, const std::string& delimiter) {
  std::string text;
  for (const Output& output : outputs) {
    if (!is_name(output.name)) {
      throw FormatError(fmt::format("'{}' is no name for an output", printable(output.name)));
    }
    if (delimiter.empty() || output.value.find(delimiter) != std::string::npos) {
      throw FormatError(fmt::format("the output {} has its own delimiter in it", output.name));
    }
    text += fmt::format("{}<<{}\n{}\n{}\n", output.name, delimiter, output.value, delimiter);
  }
  return text;
}

}  // namespace seed::ci
