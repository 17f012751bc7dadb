#include <algorithm>

#include <fmt/core.h>

#include "base/text.hpp"
#include "os/process.hpp"
#include "report/markdown.hpp"
#include "report/parts.hpp"

namespace seed::report {
namespace {

using image::LayerReceipt;
using image::LayerState;

constexpr std::size_t kShownLayers = 20;
constexpr std::size_t kShownTargets = 8;

std::string_view word_of(LayerState state) {
  switch (state) {
    case LayerState::reused:
      return "reused, not read";
    case LayerState::present:
      return "there already";
    case LayerState::mounted:
      return "mounted";
    case LayerState::sent:
      break;
  }
  return "**new**";
}

std::string title_of(const SeedRecord& record) {
  const std::string time = human_seconds(seconds_of(record.timings));
  switch (record.status) {
    case SeedStatus::stale:
      return "## 🌱 nix-seed · stale — an earlier seed has to do\n\n";
    case SeedStatus::missing:
      return "## 🌱 nix-seed · no seed — jobs build without one\n\n";
    default:
      return fmt::format(
          "## 🌱 nix-seed · {} — ready in **{}**\n\n", to_string(record.status), time);
  }
}

std::string targets_of(const SeedRecord& record) {
  std::string list;
  for (std::size_t i = 0; i < std::min(record.targets.size(), kShownTargets); ++i) {
    list += (i == 0 ? "" : ", ") + code(record.targets[i]);
  }
  if (record.targets.size() > kShownTargets) {
    list += fmt::format(" and {} more", record.targets.size() - kShownTargets);
  }
  return list;
}

std::string facts_table(const SeedRecord& record) {
  constexpr std::size_t kShort = 12;
  const std::string tag = code(utf8_prefix(record.tag, kShort));
  const bool known = record.paths > 0;  // else nothing was evaluated
  return facts({
      {"Seed",
       record.index ? image_link(record.image(), record.run)
                    : repository_link(record.repository, record.run) + " has none"},
      {"Key", fmt::format("flake.lock {} · content {}", tag, code(record.key))},
      {"System",
       escape(record.system) +
           (record.manifest ? " · image " + code(short_digest(*record.manifest)) : std::string())},
      {"Holds",
       !known ? std::string()
              : fmt::format("{}, {}{}",
                            counted(record.paths, "path"),
                            human_size(record.nar_size),
                            record.closure ? " · closure " + code(short_digest(*record.closure))
                                           : std::string())},
      {"Serves", targets_of(record)},
      {"A job builds",
       known ? counted(record.own_derivations, "derivation") + " of the flake's own"
             : std::string()},
      {"Changed inputs", changes_line(record.changed)},
  });
}

std::string transfer_of(const SeedRecord& record) {
  if (record.layers.empty()) {
    const bool serves = record.index && record.status != SeedStatus::stale;
    return serves ? "Nothing had to be packed or sent.\n\n" : "";
  }
  const LayerTotals totals = totals_of(record.layers);
  return fmt::format("`{}` **{} / {}** layers were there · **{}** not sent again · **{}** sent\n\n",
                     bar(totals.there, record.layers.size()),
                     totals.there,
                     record.layers.size(),
                     human_size(totals.bytes_there),
                     human_size(totals.bytes_sent));
}

std::string layer_table(const std::vector<LayerReceipt>& layers) {
  if (layers.empty()) {
    return {};
  }
  std::vector<LayerReceipt> shown = layers;
  std::ranges::stable_sort(shown, [](const LayerReceipt& a, const LayerReceipt& b) {
    const bool new_a = a.state == LayerState::sent;
    const bool new_b = b.state == LayerState::sent;
    return new_a != new_b ? new_a : a.blob.size_bytes > b.blob.size_bytes;
  });
  std::string table = "| layer, by its largest path | size | state |\n|---|--:|---|\n";
  for (std::size_t i = 0; i < std::min(shown.size(), kShownLayers); ++i) {
    table += fmt::format("| {} | {} | {} |\n",
                         escape(shown[i].title),
                         human_size(shown[i].blob.size_bytes),
                         word_of(shown[i].state));
  }
  if (shown.size() > kShownLayers) {
    table += fmt::format("\nand {} more\n", counted(shown.size() - kShownLayers, "layer"));
  }
  return details(fmt::format("<b>Layers</b> · {}, {} new", layers.size(), totals_of(layers).sent),
                 table);
}

std::string reproduce(const SeedRecord& record) {
  if (!record.index) {
    return {};
  }
  // A digest makes a line too long to be seen whole.
  std::vector<std::string> lines;
  if (record.repository.starts_with("oci:")) {
    lines = {"$ nix-seed build \\", "    " + os::to_shell({"--image", record.image()})};
  } else {
    lines = {"$ podman run --rm -it --network none -v \"$PWD:/src\" -w /src \\",
             "    " + os::to_shell({record.image()}) + " nix build"};
  }
  if (record.closure) {
    lines.push_back(fmt::format("$ nix-seed seed   # closure {}", record.closure->to_string()));
  }
  return details("Reproduce locally", console(lines));
}

}  // namespace

std::string to_markdown(const SeedRecord& record) {
  std::string text = title_of(record);
  if (!record.reason.empty()) {
    text += alert(record.status == SeedStatus::stale ? "WARNING" : "NOTE",
                  escape(record.reason, 4 * kMaxValueBytes));
  }
  text += facts_table(record);
  text += transfer_of(record);
  text += notices_of(record.notices);
  text += chart_of(record.timings, record.derivations);
  text += layer_table(record.layers);
  text += changes_of(record.changed);
  text += built_table(record.derivations, {});
  text += reproduce(record);
  return text + footer(record.run);
}

}  // namespace seed::report
