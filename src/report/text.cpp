#include "base/text.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "report/chart.hpp"
#include "report/markdown.hpp"
#include "report/parts.hpp"

namespace seed::report {
namespace {

constexpr std::size_t kShownBuilt = 20;

std::string steps_of(const std::vector<Timing>& timings) {
  std::string text;
  for (const Timing& timing : timings) {
    text += fmt::format("  {:>8}  {}\n", human_seconds(timing.seconds), timing.step);
  }
  return text;
}

std::string notes_of(const std::vector<std::string>& notices) {
  std::string text;
  for (const std::string& notice : notices) {
    text += fmt::format("  note: {}\n", notice);
  }
  return text;
}

std::string short_change(const ChangedInput& input) {
  constexpr std::size_t kDigits = 15;  // sha256- and eight
  return input.before.empty()  ? "new"
         : input.after.empty() ? "gone"
                               : fmt::format("{} -> {}",
                                             utf8_prefix(input.before, kDigits),
                                             utf8_prefix(input.after, kDigits));
}

std::string changes_of_text(const std::vector<ChangedInput>& changed) {
  std::string text;
  for (const ChangedInput& input : changed) {
    text += fmt::format("  input  {}: {}\n", printable(input.name), short_change(input));
  }
  return text;
}

std::string built_lines(const std::vector<std::string>& built) {
  std::string text;
  for (std::size_t i = 0; i < std::min(built.size(), kShownBuilt); ++i) {
    text += fmt::format("  built  {}\n", built[i]);
  }
  return built.size() > kShownBuilt
             ? text + fmt::format("  and {} more\n", built.size() - kShownBuilt)
             : text;
}

/// "built stale: the seed lacks 3 paths"; a reason of several lines was shown when it was found.
std::string outcome_of(const BuildRecord& record) {
  const std::string mode = "built " + std::string(to_string(record.mode));
  if (record.mode == BuildMode::in_seed) {
    return fmt::format(
        "{} ({} built, nothing fetched)\n", mode, counted(record.built.size(), "derivation"));
  }
  if (!record.missing.empty()) {
    return fmt::format("{}: the seed lacks {}\n", mode, counted(record.missing.size(), "path"));
  }
  const std::string first = record.reason.substr(0, record.reason.find('\n'));
  return first.empty() ? mode + "\n" : fmt::format("{}: {}\n", mode, first);
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
    case SeedStatus::stale:
      return "stale";
    case SeedStatus::missing:
      return "missing";
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

std::string to_text(const SeedRecord& record) {
  const LayerTotals totals = totals_of(record.layers);
  std::string text = fmt::format(
      "seed {}: {}\n", to_string(record.status), record.index ? record.image() : record.reason);
  if (record.index && !record.reason.empty()) {
    text += fmt::format("  {}\n", record.reason);
  }
  if (!record.layers.empty()) {
    text += fmt::format("  {}, {}; {} of {} were there, {} sent\n",
                        counted(record.paths, "path"),
                        human_size(record.nar_size),
                        totals.there,
                        counted(record.layers.size(), "layer"),
                        human_size(totals.bytes_sent));
  }
  return text + changes_of_text(record.changed) + notes_of(record.notices) +
         steps_of(record.timings);
}

std::string to_text(const BuildRecord& record) {
  std::string text =
      outcome_of(record) + changes_of_text(record.changed) + built_lines(record.built);
  for (const BuildResult& result : record.results) {
    text += fmt::format("  {}  {}{}\n",
                        result.attribute,
                        result.store_path,
                        result.link.empty() ? "" : " -> " + result.link);
  }
  return text + steps_of(record.timings);
}

std::string to_text(const Failure& failure) {
  std::string text;
  for (const FailedDerivation& derivation : failure.failed) {
    text += fmt::format(
        "failed: {}{}{}\n",
        derivation_name(derivation.path),
        derivation.why.empty() ? "" : " (" + derivation.why + ")",
        failure.nix_log ? "; 'nix log " + derivation.path + "' shows all it said" : std::string());
  }
  text += fmt::format("error: {}\n", failure.message);
  return failure.hint.empty() ? text : text + fmt::format("hint: {}\n", failure.hint);
}

}  // namespace seed::report
