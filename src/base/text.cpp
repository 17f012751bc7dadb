#include "base/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

namespace seed {
namespace {

unsigned at_or_0(std::string_view text, std::size_t index) {
  return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
}

/// U+200E, U+200F, U+202A to U+202E and U+2066 to U+2069.
bool is_direction_mark(std::string_view character) {
  if (character.size() != 3 || at_or_0(character, 0) != 0xe2) {
    return false;
  }
  const unsigned middle = at_or_0(character, 1);
  const unsigned last = at_or_0(character, 2);
  return (middle == 0x80 && (last == 0x8e || last == 0x8f || (last >= 0xaa && last <= 0xae))) ||
         (middle == 0x81 && last >= 0xa6 && last <= 0xa9);
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) {
    return 0;
  }
  const unsigned first = at_or_0(text, 0);
  if (first < 0x80) {
    return 1;
  }
  if (first < 0xc2 || first > 0xf4) {
    return 0;
  }
  const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at_or_0(text, i) & 0xc0) != 0x80) {
      return 0;
    }
  }
  const unsigned second = at_or_0(text, 1);
  const bool too_long = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool surrogate = first == 0xed && second > 0x9f;
  const bool beyond = first == 0xf4 && second > 0x8f;
  return too_long || surrogate || beyond ? 0 : length;
}

bool is_control(std::string_view character) {
  const unsigned first = at_or_0(character, 0);
  return first < 0x20 || first == 0x7f || (first == 0xc2 && at_or_0(character, 1) < 0xa0) ||
         is_direction_mark(character);
}

std::string_view utf8_prefix(std::string_view text, std::size_t limit_bytes) {
  if (text.size() <= limit_bytes) {
    return text;
  }
  std::size_t end = limit_bytes;
  // A character has at most three bytes after its first.
  for (std::size_t back = 0; back < 4 && back <= limit_bytes; ++back) {
    if (utf8_length(text.substr(limit_bytes - back)) > back) {
      end = limit_bytes - back;
      break;
    }
  }
  return text.substr(0, end);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return lower;
}

std::string human_size(std::uint64_t size_bytes) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  if (size_bytes < 1024) {
    return fmt::format("{} B", size_bytes);
  }
  double value = static_cast<double>(size_bytes);
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = utf8_length(text.substr(at));
    const std::size_t next = at + std::max<std::size_t>(length, 1);
    if (next > limit) {
      return out + "...";
    }
    if (length == 0 || is_control(text.substr(at, length))) {
      for (; at < next; ++at) {
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[at]));
      }
    } else {
      out += text.substr(at, length);
    }
    at = next;
  }
  return out;
}

}  // namespace seed
