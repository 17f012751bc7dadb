#include <algorithm>

#include <fmt/core.h>

#include "base/text.hpp"
#include "os/process.hpp"
#include "report/markdown.hpp"
#include "report/record.hpp"

namespace seed::report {
namespace {

using image::LayerReceipt;
using image::LayerState;

constexpr std::size_t kShownLayers = 20;
constexpr std::size_t kShownPaths = 50;

struct Totals {
  std::size_t sent = 0;
  std::uint64_t bytes_sent = 0;
  std::size_t there = 0;
  std::uint64_t bytes_there = 0;
};

Totals totals_of(const std::vector<LayerReceipt>& layers) {
  Totals totals;
  for (const LayerReceipt& layer : layers) {
    if (layer.state == LayerState::sent) {
      ++totals.sent;
      totals.bytes_sent += layer.blob.size_bytes;
    } else {
      ++totals.there;
      totals.bytes_there += layer.blob.size_bytes;
    }
  }
  return totals;
}

std::string_view word_of(LayerState state) {
  switch (state) {
    case LayerState::reused:
      return "reused, not read";
    case LayerState::present:
      return "present";
    case LayerState::mounted:
      return "mounted";
    case LayerState::sent:
      break;
  }
  return "**new**";
}

double seconds_of(const std::vector<Timing>& timings) {
  double sum = 0;
  for (const Timing& timing : timings) {
    sum += timing.seconds;
  }
  return sum;
}

std::string details(std::string_view summary, const std::string& body) {
  return fmt::format("<details><summary>{}</summary>\n\n{}\n</details>\n", summary, body);
}

std::string layer_table(const std::vector<LayerReceipt>& layers) {
  std::vector<LayerReceipt> shown = layers;
  std::ranges::stable_sort(shown, [](const LayerReceipt& a, const LayerReceipt& b) {
    const bool new_a = a.state == LayerState::sent;
    const bool new_b = b.state == LayerState::sent;
    return new_a != new_b ? new_a : a.blob.size_bytes > b.blob.size_bytes;
  });
  std::string table = "| layer | size | state |\n|---|--:|---|\n";
  for (std::size_t i = 0; i < std::min(shown.size(), kShownLayers); ++i) {
    table += fmt::format("| {} | {} | {} |\n",
                         escape(shown[i].title),
                         human_size(shown[i].blob.size_bytes),
                         word_of(shown[i].state));
  }
  if (shown.size() > kShownLayers) {
    table += fmt::format("\n{} more layers.\n", shown.size() - kShownLayers);
  }
  return table;
}

std::string list_of(const std::vector<std::string>& items) {
  std::string list;
  for (std::size_t i = 0; i < std::min(items.size(), kShownPaths); ++i) {
    list += fmt::format("- {}\n", code(items[i]));
  }
  if (items.size() > kShownPaths) {
    list += fmt::format("- and {} more\n", items.size() - kShownPaths);
  }
  return list;
}

std::string reproduce(const SeedRecord& record) {
  const std::string run = record.repository.starts_with("oci:")
                              ? os::to_shell({"nix-seed", "build", "--image", record.image()})
                              : "podman run --rm -it --network none -v \"$PWD:/src\" -w /src " +
                                    os::to_shell({record.image()}) + " nix build";
  return console(
      {"$ " + run, fmt::format("$ nix-seed seed   # closure {}", record.closure.to_string())});
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

std::string_view to_string(SeedStatus status) {
  switch (status) {
    case SeedStatus::reused:
      return "reused";
    case SeedStatus::aliased:
      return "aliased";
    case SeedStatus::refreshed:
      return "refreshed";
    case SeedStatus::built:
      break;
  }
  return "built";
}

std::string_view to_string(BuildMode mode) {
  switch (mode) {
    case BuildMode::in_seed:
      return "in-seed";
    case BuildMode::stale:
      return "stale";
    case BuildMode::seedless:
      break;
  }
  return "seedless";
}

std::string to_markdown(const SeedRecord& record) {
  const Totals totals = totals_of(record.layers);
  std::string text = fmt::format("## 🌱 nix-seed · {} in **{}**\n\n",
                                 to_string(record.status),
                                 human_seconds(seconds_of(record.timings)));
  text += "| | |\n|---|---|\n";
  text += fmt::format(
      "| **Seed** | {} → {} |\n", code(record.repository), code(record.index.to_string()));
  text += fmt::format("| **Tag** | {} |\n", code(record.tag));
  text += fmt::format("| **Key** | {} |\n", code(record.key));
  text += fmt::format("| **System** | {} · image {} |\n",
                      escape(record.system),
                      code(short_digest(record.manifest)));
  if (record.paths > 0) {
    text += fmt::format("| **Closure** | {}, {} · {} |\n",
                        counted(record.paths, "path"),
                        human_size(record.nar_size),
                        code(short_digest(record.closure)));
    text += fmt::format("| **A job builds** | {} of the flake's own |\n",
                        counted(record.own_derivations, "derivation"));
  }
  if (!record.layers.empty()) {
    text +=
        fmt::format("\n`{}` **{} / {}** layers already present · **{}** not sent · **{}** sent\n",
                    bar(totals.there, record.layers.size()),
                    totals.there,
                    record.layers.size(),
                    human_size(totals.bytes_there),
                    human_size(totals.bytes_sent));
  }
  for (const std::string& notice : record.notices) {
    text += fmt::format("\n> [!NOTE]\n> {}\n", escape(notice));
  }
  text += "\n" + gantt(record.timings) + "\n";
  if (!record.layers.empty()) {
    text += details(fmt::format("<b>Layers</b>: {}, {} new", record.layers.size(), totals.sent),
                    layer_table(record.layers));
  }
  text += details("Reproduce locally", reproduce(record));
  return text;
}

std::string to_markdown(const BuildRecord& record) {
  std::string text = fmt::format("## 🌱 nix-seed · built {} in **{}**\n\n",
                                 record.mode == BuildMode::in_seed ? "inside the seed, offline"
                                 : record.mode == BuildMode::stale ? "with a stale seed"
                                                                   : "without a seed",
                                 human_seconds(seconds_of(record.timings)));
  if (!record.reason.empty()) {
    text += fmt::format("> [!NOTE]\n> {}\n\n", escape(record.reason));
  }
  if (!record.missing.empty()) {
    text += fmt::format("> [!WARNING]\n> The seed is stale: it lacks {} that this flake needs.\n\n",
                        counted(record.missing.size(), "path"));
    text += details("Missing from the seed", list_of(record.missing)) + "\n";
  }
  if (!record.results.empty()) {
    text += "| result | store path | size |\n|---|---|--:|\n";
  }
  for (const BuildResult& result : record.results) {
    text += fmt::format("| {} | {} | {} |\n",
                        escape(result.attribute),
                        code(result.store_path),
                        human_size(result.nar_size));
  }
  text += "\n" + gantt(record.timings) + "\n";
  text += details(
      fmt::format("<b>Built here</b>: {}", counted(record.built.size(), "derivation")),
      record.built.empty() ? "Nothing: the results were there already.\n" : list_of(record.built));
  if (!record.image.empty()) {
    text += details("Reproduce locally",
                    console({"$ " + os::to_shell({"nix-seed", "build", "--image", record.image})}));
  }
  return text;
}

std::string to_text(const SeedRecord& record) {
  const Totals totals = totals_of(record.layers);
  std::string text = fmt::format("seed {}: {}\n", to_string(record.status), record.image());
  if (!record.layers.empty()) {
    text += fmt::format("  {}, {}; {} of {} were there, {} sent\n",
                        counted(record.paths, "path"),
                        human_size(record.nar_size),
                        totals.there,
                        counted(record.layers.size(), "layer"),
                        human_size(totals.bytes_sent));
  }
  for (const std::string& notice : record.notices) {
    text += fmt::format("  note: {}\n", notice);
  }
  for (const Timing& timing : record.timings) {
    text += fmt::format("  {:>8}  {}\n", human_seconds(timing.seconds), timing.step);
  }
  return text;
}

std::string to_text(const BuildRecord& record) {
  std::string text = "built " + std::string(to_string(record.mode));
  if (record.mode == BuildMode::in_seed) {
    text +=
        fmt::format(" ({} built, nothing fetched)\n", counted(record.built.size(), "derivation"));
  } else if (!record.reason.empty()) {
    text += ": " + record.reason + "\n";
  } else {
    text += record.missing.empty()
                ? "\n"
                : fmt::format(": the seed lacks {}\n", counted(record.missing.size(), "path"));
  }
  for (const std::string& drv : record.built) {
    text += fmt::format("  built  {}\n", drv);
  }
  for (const BuildResult& result : record.results) {
    text += fmt::format("  {}  {}{}\n",
                        result.attribute,
                        result.store_path,
                        result.link.empty() ? "" : " -> " + result.link);
  }
  for (const Timing& timing : record.timings) {
    text += fmt::format("  {:>8}  {}\n", human_seconds(timing.seconds), timing.step);
  }
  return text;
}

}  // namespace seed::report
