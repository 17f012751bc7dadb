#include "report/chart.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/core.h>

#include "report/markdown.hpp"
#include "report/parts.hpp"

namespace seed::report {
namespace {

constexpr std::size_t kMaxSteps = 100;
constexpr std::size_t kMaxRows = 60;  // more are no chart that anyone could read

/// A task's name. The grammar gives ':', ';', '#', ',', '%', braces and line breaks a meaning of
/// their own, and quotes, angle brackets and backquotes mean something to what is around it.
std::string task_name(std::string_view text) {
  constexpr std::size_t kMaxNameBytes = 60;
  std::string name = plain(text, kMaxNameBytes);
  std::ranges::replace_if(
      name,
      [](char c) {
        return std::string_view(":;#,%{}<>`\"@\\|&$").find(c) != std::string_view::npos;
      },
      ' ');
  return name;
}

std::int64_t milliseconds(double seconds) {
  constexpr double kLongest = 1e6;  // 11 days
  return std::llround(std::clamp(seconds, 0.0, kLongest) * 1000);
}

std::string step_rows(const std::vector<Timing>& timings) {
  std::string text = "    section Steps\n";
  std::int64_t start = 0;
  for (std::size_t i = 0; i < std::min(timings.size(), kMaxSteps); ++i) {
    const std::int64_t length = std::max<std::int64_t>(1, milliseconds(timings[i].seconds));
    // Numbered, since a line that begins with a word of the grammar ("title", "section", "click")
    // is not a task.
    text += fmt::format("    {}. {} ({}) :{}, {}\n",
                        i + 1,
                        task_name(timings[i].step),
                        human_seconds(timings[i].seconds),
                        start,
                        start + length);
    start += length;
  }
  return text;
}

std::string derivation_row(const BuiltDerivation& derivation) {
  const std::int64_t start = milliseconds(derivation.start);
  return fmt::format("    ▸ {} ({}) :{}, {}, {}\n",
                     task_name(derivation_name(derivation.path)),
                     human_seconds(derivation.seconds),
                     derivation.failed ? "crit" : "active",
                     start,
                     start + std::max<std::int64_t>(1, milliseconds(derivation.seconds)));
}

std::string rows_of(const std::vector<BuiltDerivation>& derivations) {
  std::string text = derivations.empty() ? "" : "    section Built\n";
  for (const BuiltDerivation& derivation : derivations) {
    text += derivation_row(derivation);
  }
  return text;
}

/// As many as `space_bytes` holds, in the order in which they began. What failed counts as longest.
std::vector<BuiltDerivation> chosen(const std::vector<BuiltDerivation>& all,
                                    std::size_t space_bytes) {
  const auto fits = [&](const std::vector<BuiltDerivation>& some) {
    return some.size() <= kMaxRows && rows_of(some).size() <= space_bytes;
  };
  std::vector<BuiltDerivation> kept = all;
  for (const double shortest : {1.0, 5.0}) {
    if (!fits(kept)) {
      std::erase_if(kept, [&](const BuiltDerivation& derivation) {
        return derivation.seconds < shortest && !derivation.failed;
      });
    }
  }
  if (!fits(kept)) {
    std::ranges::stable_sort(kept, [](const BuiltDerivation& a, const BuiltDerivation& b) {
      return a.failed != b.failed ? a.failed : a.seconds > b.seconds;
    });
    kept.resize(std::min(kept.size(), kMaxRows));
    while (!fits(kept)) {
      kept.pop_back();
    }
  }
  std::ranges::stable_sort(
      kept, [](const BuiltDerivation& a, const BuiltDerivation& b) { return a.start < b.start; });
  return kept;
}

}  // namespace

std::string derivation_name(const std::string& path) {
  constexpr std::string_view kStore = "/nix/store/";
  constexpr std::size_t kHashLength = 33;  // with the dash after it
  constexpr std::string_view kSuffix = ".drv";
  if (!path.starts_with(kStore) || path.size() < kStore.size() + kHashLength + kSuffix.size()) {
    return path;
  }
  std::string name = path.substr(kStore.size() + kHashLength);
  if (name.ends_with(kSuffix)) {
    name.resize(name.size() - kSuffix.size());
  }
  return name;
}

std::string gantt(const std::vector<Timing>& timings,
                  const std::vector<BuiltDerivation>& derivations) {
  if (timings.size() + derivations.size() < 2) {
    return {};  // a single bar shows nothing that its length in words does not
  }
  std::string text = "```mermaid\ngantt\n    dateFormat x\n    axisFormat %M:%S\n";
  constexpr double kShortRun = 10;
  // Its ticks would be parts of a second, which the axis does not show.
  text += seconds_of(timings) < kShortRun ? "    tickInterval 1second\n" : "";
  text += step_rows(timings);
  const std::vector<BuiltDerivation> shown = chosen(derivations, kMaxChartBytes - text.size());
  text += rows_of(shown) + "```\n";
  if (shown.size() < derivations.size()) {
    text += fmt::format("\n<sub>The chart leaves out {} that took less time.</sub>\n",
                        counted(derivations.size() - shown.size(), "derivation"));
  }
  return text;
}

}  // namespace seed::report
