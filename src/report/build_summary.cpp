#include <algorithm>

#include <fmt/core.h>

#include "base/text.hpp"
#include "os/process.hpp"
#include "report/markdown.hpp"
#include "report/parts.hpp"

namespace seed::report {
namespace {

constexpr std::size_t kShownResults = 50;

std::string title_of(const BuildRecord& record) {
  return fmt::format("## 🌱 nix-seed · built {} in **{}**\n\n",
                     record.mode == BuildMode::in_seed ? "in the seed, offline,"
                     : record.mode == BuildMode::stale ? "with a stale seed"
                                                       : "without a seed",
                     human_seconds(seconds_of(record.timings)));
}

/// Why it was not a build in a seed: the first line in a box, what else a program said below.
std::string explanation(const BuildRecord& record) {
  if (record.mode == BuildMode::in_seed) {
    return {};
  }
  if (!record.missing.empty()) {
    return alert("WARNING",
                 fmt::format("The seed is stale: it lacks {} that this checkout needs. This "
                             "machine's Nix built instead and may have used the network. A run of "
                             "`nix-seed seed` on a trusted branch refreshes it.",
                             counted(record.missing.size(), "path")));
  }
  const std::size_t line = record.reason.find('\n');
  std::string text = alert(record.mode == BuildMode::stale ? "WARNING" : "NOTE",
                           escape(record.reason.substr(0, line), 4 * kMaxValueBytes));
  if (line != std::string::npos) {
    text += details("What Nix said", quoted(record.reason.substr(line)));
  }
  return text;
}

std::string facts_table(const BuildRecord& record) {
  const std::size_t built = std::max(record.derivations.size(), record.built.size());
  return facts({
      {"Seed", image_link(record.image, record.run)},
      {"Verified", sentence(record.verified, 4 * kMaxValueBytes)},
      {"System", escape(record.system)},
      {"Built here",
       (built == 0 ? std::string("nothing: the results were there already")
                   : counted(built, "derivation")) +
           (record.mode == BuildMode::in_seed ? ", nothing fetched" : "")},
      {"Changed inputs", changes_line(record.changed)},
  });
}

std::string result_table(const std::vector<BuildResult>& results) {
  if (results.empty()) {
    return {};
  }
  std::string table = "| result | store path | size |\n|---|---|--:|\n";
  for (std::size_t i = 0; i < std::min(results.size(), kShownResults); ++i) {
    const BuildResult& result = results[i];
    const std::string output =
        result.output.empty() || result.output == "out" ? "" : "^" + result.output;
    table += fmt::format("| {} | {} | {} |\n",
                         escape(result.attribute + output),
                         code(result.store_path),
                         human_size(result.nar_size));
  }
  if (results.size() > kShownResults) {
    table += fmt::format("\nand {} more\n", counted(results.size() - kShownResults, "result"));
  }
  return table + "\n";
}

}  // namespace

std::string to_markdown(const BuildRecord& record) {
  std::string text = title_of(record);
  text += explanation(record);
  text += facts_table(record);
  text += result_table(record.results);
  text += chart_of(record.timings, record.derivations);
  text += changes_of(record.changed);
  if (!record.missing.empty()) {
    text += details(
        fmt::format("<b>Missing from the seed</b> · {}", counted(record.missing.size(), "path")),
        list_of(record.missing));
  }
  text += built_table(record.derivations, record.built);
  if (!record.image.empty()) {
    text +=
        details("Reproduce locally",
                console({"$ nix-seed build \\", "    " + os::to_shell({"--image", record.image})}));
  }
  return text + footer(record.run);
}

}  // namespace seed::report
