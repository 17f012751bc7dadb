#include "report/markdown.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

namespace seed::report {
namespace {

/// Line breaks and tabs as a blank, other control characters as the mark for what can't be shown:
/// each would end a table's row or drive a terminal.
std::string visible(char c) {
  const auto value = static_cast<unsigned char>(c);
  if (c == '\n' || c == '\r' || c == '\t') {
    return " ";
  }
  return value < 0x20 || value == 0x7f ? "\xef\xbf\xbd" : std::string(1, c);
}

std::size_t longest_run(std::string_view text) {
  std::size_t run = 0;
  std::size_t longest = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

/// A task's name in a chart. Its grammar gives ':', ';', '#', ',', '%', braces and line breaks a
/// meaning of their own, and quotes, angle brackets and backquotes mean something to what is
/// around it.
std::string task_name(std::string_view step) {
  std::string name;
  for (const char c : step) {
    const auto value = static_cast<unsigned char>(c);
    const bool plain = value > 0x20 && value != 0x7f &&
                       std::string_view(":;#,%{}<>`\"@").find(c) == std::string_view::npos;
    name += plain ? c : ' ';
  }
  return name;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '$':
        out += "&#36;";  // no formula
        break;
      case '@':
      case '#':
        // Hosts look for mentions and issue numbers in the rendered text, where an entity or a
        // backslash is gone; a space without width is not.
        out += c;
        out += "&#8203;";
        break;
      case '|':
      case '`':
      case '*':
      case '_':
      case '[':
      case ']':
      case '\\':
      case '~':
        out += '\\';
        out += c;
        break;
      default:
        out += visible(c);
    }
  }
  return out;
}

std::string code(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  std::string inner;
  for (const char c : text) {
    inner += c == '|' ? "\\|" : visible(c);
  }
  const std::size_t longest = longest_run(text);
  const std::string fence(longest + 1, '`');
  const std::string space = longest > 0 ? " " : "";
  return fence + space + inner + space + fence;
}

std::string console(const std::vector<std::string>& lines) {
  std::string body;
  for (const std::string& line : lines) {
    for (const char c : line) {
      body += visible(c);
    }
    body += '\n';
  }
  const std::string fence(std::max<std::size_t>(3, longest_run(body) + 1), '`');
  return fence + "console\n" + body + fence + "\n";
}

std::string short_digest(const Digest& digest) {
  const std::string hex = digest.hex();
  return fmt::format("sha256:{}…{}", hex.substr(0, 8), hex.substr(60));
}

std::string bar(std::uint64_t part, std::uint64_t whole) {
  constexpr std::uint64_t kCells = 22;
  const std::uint64_t full = whole == 0 ? 0 : std::min(kCells, part * kCells / whole);
  std::string text;
  for (std::uint64_t i = 0; i < kCells; ++i) {
    text += i < full ? "█" : "░";
  }
  return text;
}

std::string human_seconds(double seconds) {
  if (seconds < 9.95) {
    return fmt::format("{:.1f} s", seconds);
  }
  const auto whole = std::llround(seconds);
  return whole < 60 ? fmt::format("{} s", whole)
                    : fmt::format("{} m {:02} s", whole / 60, whole % 60);
}

std::string gantt(const std::vector<Timing>& timings) {
  if (timings.empty()) {
    return {};
  }
  std::string text =
      "```mermaid\ngantt\n    dateFormat x\n    axisFormat %M:%S\n    section Steps\n";
  std::int64_t start = 0;
  int number = 0;
  for (const Timing& timing : timings) {
    const auto length = std::max<std::int64_t>(1, std::llround(timing.seconds * 1000));
    // Numbered, since a line that begins with a word of the grammar ("title", "section", "click")
    // is not a task.
    text += fmt::format("    {}. {} ({}) :{}, {}\n",
                        ++number,
                        task_name(timing.step),
                        human_seconds(timing.seconds),
                        start,
                        start + length);
    start += length;
  }
  return text + "```\n";
}

}  // namespace seed::report
