#include "oci/link_header.hpp"

#include <cstddef>

#include "base/text.hpp"

namespace seed::oci {
namespace {

/// The end of one link's parameters: a comma outside quotes, or the end.
std::size_t parameters_end(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == '\\' && quoted) {
      ++i;
    } else if (text[i] == ',' && !quoted) {
      return i;
    }
  }
  return text.size();
}

bool is_next(std::string_view parameters) {
  for (const auto parameter : split(parameters, ';')) {
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos || to_lower(trim(parameter.substr(0, equals))) != "rel") {
      continue;
    }
    std::string_view value = trim(parameter.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    for (const auto relation : split(value, ' ')) {
      if (to_lower(relation) == "next") {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

std::optional<std::string> next_link(std::string_view header) {
  while (true) {
    header = trim(header);
    if (!header.starts_with('<')) {
      return std::nullopt;
    }
    const std::size_t close = header.find('>');
    if (close == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view target = header.substr(1, close - 1);
    header.remove_prefix(close + 1);
    const std::size_t end = parameters_end(header);
    if (is_next(header.substr(0, end))) {
      return std::string(trim(target));
    }
    if (end == header.size()) {
      return std::nullopt;
    }
    header.remove_prefix(end + 1);
  }
}

}  // namespace seed::oci
