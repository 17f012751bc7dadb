#include "report/markdown.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

namespace seed::report {

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
      case '\n':
      case '\r':
        out += ' ';
        break;
      case '@':
        out += "&#64;";  // no mention
        break;
      case '|':
      case '`':
      case '*':
      case '_':
      case '[':
      case ']':
      case '\\':
      case '#':
      case '~':
        out += '\\';
        [[fallthrough]];
      default:
        out += c;
    }
  }
  return out;
}

std::string code(std::string_view text) {
  std::string inner;
  std::size_t run = 0;
  std::size_t longest = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
    if (c == '|') {
      inner += "\\|";
    } else {
      inner += c == '\n' || c == '\r' ? ' ' : c;
    }
  }
  const std::string fence(longest + 1, '`');
  const std::string space = longest > 0 ? " " : "";
  return fence + space + inner + space + fence;
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
  for (const Timing& timing : timings) {
    std::string name;
    for (const char c : timing.step) {
      // The chart's grammar gives these a meaning of their own.
      name += c == ':' || c == ';' || c == '#' || c == ',' ? ' ' : c;
    }
    const auto length = std::max<std::int64_t>(1, std::llround(timing.seconds * 1000));
    text += fmt::format(
        "    {} ({}) :{}, {}\n", name, human_seconds(timing.seconds), start, start + length);
    start += length;
  }
  return text + "```\n";
}

}  // namespace seed::report
