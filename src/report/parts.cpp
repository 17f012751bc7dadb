#include "report/parts.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/text.hpp"
#include "report/chart.hpp"
#include "report/markdown.hpp"

namespace seed::report {
namespace {

constexpr std::size_t kShownItems = 50;
constexpr std::size_t kShownRows = 20;
constexpr std::size_t kShownNotices = 20;

/// The first eight digits of a revision; of an SRI hash, after its algorithm.
std::string short_revision(const std::string& revision) {
  constexpr std::size_t kDigits = 8;
  const std::size_t dash = revision.find('-');
  const std::size_t start = dash == std::string::npos ? 0 : dash + 1;
  return std::string(utf8_prefix(std::string_view(revision).substr(start), kDigits));
}

std::string change_of(const ChangedInput& input) {
  if (input.before.empty()) {
    return "new";
  }
  if (input.after.empty()) {
    return "gone";
  }
  return code(short_revision(input.before)) + " → " + code(short_revision(input.after));
}

std::string more(std::size_t count, std::size_t shown, std::string_view what) {
  return count > shown ? fmt::format("\nand {} more\n", counted(count - shown, what)) : "";
}

}  // namespace

double seconds_of(const std::vector<Timing>& timings) {
  double sum = 0;
  for (const Timing& timing : timings) {
    sum += timing.seconds;
  }
  return sum;
}

LayerTotals totals_of(const std::vector<image::LayerReceipt>& layers) {
  LayerTotals totals;
  for (const image::LayerReceipt& layer : layers) {
    if (layer.state == image::LayerState::sent) {
      ++totals.sent;
      totals.bytes_sent += layer.blob.size_bytes;
    } else {
      ++totals.there;
      totals.bytes_there += layer.blob.size_bytes;
    }
  }
  return totals;
}

std::string facts(const std::vector<std::pair<std::string_view, std::string>>& rows) {
  std::string table;
  for (const auto& [name, value] : rows) {
    if (value.empty()) {
      continue;
    }
    std::string words = "**";
    for (const char c : name) {
      words += c == ' ' ? "&nbsp;" : std::string(1, c);
    }
    // The first row stands where a head would: an empty head is drawn as an empty row.
    table += table.empty() ? fmt::format("| {} | {} |\n|:--|:--|\n", words.substr(2), value)
                           : fmt::format("| {}** | {} |\n", words, value);
  }
  return table.empty() ? table : table + "\n";
}

std::string repository_link(const std::string& repository, const RunContext& run) {
  constexpr std::string_view kHost = "ghcr.io/";
  constexpr std::string_view kSite = "https://github.com/";
  const std::string text = code(repository);
  if (!repository.starts_with(kHost) || !run.source_url.starts_with(kSite)) {
    return text;
  }
  const std::size_t slash = repository.find('/', kHost.size());
  const std::string owner = repository.substr(kHost.size(), slash - kHost.size());
  const std::string source = to_lower(run.source_url.substr(kSite.size()));
  if (slash == std::string::npos || !source.starts_with(owner + "/")) {
    return text;  // another's package is on no page of this repository
  }
  std::string page = run.source_url + "/pkgs/container/";
  for (const char c : repository.substr(slash + 1)) {
    page += c == '/' ? "%2F" : std::string(1, c);
  }
  return link(text, page);
}

std::string image_link(const std::string& image, const RunContext& run) {
  const std::size_t at = image.rfind("@sha256:");
  if (at == std::string::npos) {
    return code(image);
  }
  return repository_link(image.substr(0, at), run) + " → " + code(image.substr(at + 1));
}

std::string list_of(const std::vector<std::string>& items) {
  std::string list;
  for (std::size_t i = 0; i < std::min(items.size(), kShownItems); ++i) {
    list += fmt::format("- {}\n", code(items[i], Place::text));
  }
  if (items.size() > kShownItems) {
    list += fmt::format("- and {} more\n", items.size() - kShownItems);
  }
  return list;
}

std::string notices_of(const std::vector<std::string>& notices) {
  if (notices.empty()) {
    return {};
  }
  if (notices.size() == 1) {
    return alert("NOTE", escape(notices.front()));
  }
  std::string list;
  for (std::size_t i = 0; i < std::min(notices.size(), kShownNotices); ++i) {
    list += fmt::format("- {}\n", escape(notices[i]));
  }
  if (notices.size() > kShownNotices) {
    list += fmt::format("- and {} more\n", notices.size() - kShownNotices);
  }
  return alert("NOTE", list);
}

std::string quoted(const std::string& text) {
  constexpr std::size_t kShownLines = 40;
  std::vector<std::string> lines;
  for (const std::string_view line : split(trim(text), '\n')) {
    lines.emplace_back(line);
  }
  if (lines.size() > kShownLines) {
    lines.erase(lines.begin(), lines.end() - kShownLines);
    lines.insert(lines.begin(), "…");
  }
  return fenced("text", lines);
}

std::string changes_of(const std::vector<ChangedInput>& changed) {
  if (changed.empty()) {
    return {};
  }
  std::string table = "| input | since the seed was made |\n|---|---|\n";
  for (std::size_t i = 0; i < std::min(changed.size(), kShownRows); ++i) {
    table += fmt::format("| {} | {} |\n", escape(changed[i].name), change_of(changed[i]));
  }
  return details(fmt::format("<b>Changed inputs</b> · {}", changed.size()),
                 table + more(changed.size(), kShownRows, "input"));
}

std::string changes_line(const std::vector<ChangedInput>& changed) {
  constexpr std::size_t kShown = 3;
  std::string line;
  for (std::size_t i = 0; i < std::min(changed.size(), kShown); ++i) {
    line += fmt::format(
        "{}{} {}", i == 0 ? "" : " · ", escape(changed[i].name, 60), change_of(changed[i]));
  }
  return changed.size() > kShown ? fmt::format("{} · and {} more", line, changed.size() - kShown)
                                 : line;
}

std::string built_table(const std::vector<BuiltDerivation>& derivations,
                        const std::vector<std::string>& names) {
  const std::size_t count = std::max(derivations.size(), names.size());
  if (count == 0) {
    return {};
  }
  const std::string title = fmt::format("<b>Built here</b> · {}", counted(count, "derivation"));
  if (derivations.empty()) {
    return details(title, list_of(names));
  }
  std::vector<BuiltDerivation> sorted = derivations;
  std::ranges::stable_sort(sorted, [](const BuiltDerivation& a, const BuiltDerivation& b) {
    return a.failed != b.failed ? a.failed : a.seconds > b.seconds;
  });
  std::string table = "| derivation | time | |\n|---|--:|:-:|\n";
  for (std::size_t i = 0; i < std::min(sorted.size(), kShownRows); ++i) {
    table += fmt::format("| {} | {} | {} |\n",
                         escape(derivation_name(sorted[i].path)),
                         human_seconds(sorted[i].seconds),
                         sorted[i].failed ? "❌" : "✅");
  }
  return details(title, table + more(count, std::min(sorted.size(), kShownRows), "derivation"));
}

std::string chart_of(const std::vector<Timing>& timings,
                     const std::vector<BuiltDerivation>& derivations) {
  const std::string chart = gantt(timings, derivations);
  return chart.empty() ? "" : "\n" + chart + "\n";
}

std::string footer(const RunContext& run) {
  std::string text = "\n<sub>nix-seed";
  text += run.version.empty() ? "" : " " + escape(run.version, 40);
  if (const std::string url = link("run", run.run_url); url != "run") {
    text += " · " + url;
  }
  return text + " · `summary: false` hides this</sub>\n";
}

}  // namespace seed::report
