#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/text.hpp"
#include "ci/adapters.hpp"

namespace seed::ci {
namespace {

constexpr std::size_t kShownOfEachLevel = 8;

std::size_t count_of(std::string_view text, std::string_view word) {
  std::size_t count = 0;
  for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + word.size())) {
    ++count;
  }
  return count;
}

/// The fence that the lines of `text` leave open, or nothing.
std::string open_fence(std::string_view text) {
  std::string fence;
  for (const std::string_view line : split(text, '\n')) {
    const std::size_t ticks = std::min(line.find_first_not_of('`'), line.size());
    if (ticks < 3 || ticks < fence.size()) {
      continue;
    }
    if (fence.empty()) {
      fence.assign(ticks, '`');
    } else if (ticks == line.size()) {
      fence.clear();
    }
  }
  return fence;
}

}  // namespace

std::string value_of(const os::Environment& environment, std::string_view name) {
  return os::get(environment, name).value_or("");
}

std::vector<Annotation> within_limits(std::vector<Annotation> annotations) {
  std::vector<Annotation> shown;
  for (const Level level : {Level::error, Level::warning, Level::notice}) {
    std::size_t count = 0;
    for (Annotation& annotation : annotations) {
      if (annotation.level == level && ++count <= kShownOfEachLevel) {
        shown.push_back(std::move(annotation));
      }
    }
    if (count > kShownOfEachLevel) {
      shown.push_back({.level = level,
                       .id = "NS010",
                       .message = fmt::format("{} more in the summary and the log",
                                              count - kShownOfEachLevel)});
    }
  }
  return shown;
}

std::string fit_summary(std::string_view markdown, std::uint64_t limit_bytes) {
  if (markdown.size() <= limit_bytes) {
    return std::string(markdown);
  }
  // Room for what closes the text: a fence as long as a line may be is cut before it.
  constexpr std::uint64_t kRoomBytes = 4 << 10;
  if (limit_bytes <= kRoomBytes) {
    return {};
  }
  std::string_view kept = markdown.substr(0, limit_bytes - kRoomBytes);
  kept = kept.substr(0, kept.rfind('\n') + 1);
  std::string fence = open_fence(kept);
  while (fence.size() > kRoomBytes / 4) {
    kept = kept.substr(0, kept.rfind("\n" + fence) + 1);
    fence = open_fence(kept);
  }
  std::string text(kept);
  text += fence.empty() ? "" : fence + "\n";
  const std::size_t opened = count_of(kept, "<details");
  const std::size_t closed = count_of(kept, "</details>");
  constexpr std::size_t kDeepest = 64;
  for (std::size_t i = closed; i < std::min(opened, closed + kDeepest); ++i) {
    text += "\n</details>\n";
  }
  return text + fmt::format(
                    "\n> [!WARNING]\n> The summary was cut here: {} more would not fit "
                    "(NS010). The log has it all.\n",
                    human_size(markdown.size() - kept.size()));
}

std::string variable_of(std::string_view command, std::string_view output) {
  std::string name = "NIX_SEED_";
  for (const char c : command == "build" ? "build_" + std::string(output) : std::string(output)) {
    name += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return name;
}

}  // namespace seed::ci
