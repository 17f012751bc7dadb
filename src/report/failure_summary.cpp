#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/process.hpp"
#include "report/chart.hpp"
#include "report/markdown.hpp"
#include "report/parts.hpp"

namespace seed::report {
namespace {

constexpr std::size_t kShownLogLines = 100;
constexpr std::size_t kShownOmitted = 20;

std::string outcome_of(const Failure& failure) {
  switch (static_cast<ExitCode>(failure.exit_code)) {
    case ExitCode::usage:
      return "can't start as it is configured";
    case ExitCode::refused:
      return "was refused: bytes are not what they claim to be";
    case ExitCode::network:
      return "failed at a registry or the network";
    case ExitCode::interrupted:
      return "was interrupted";
    default:
      return "failed";
  }
}

std::string title_of(const Failure& failure) {
  std::string text =
      fmt::format("## 🌱 nix-seed · ❌ {} {}", escape(failure.command), outcome_of(failure));
  const double seconds = seconds_of(failure.timings);
  text += seconds > 0 ? fmt::format(" after **{}**", human_seconds(seconds)) : "";
  return text + "\n\n";
}

std::string explanation(const Failure& failure) {
  const std::size_t line = failure.message.find('\n');
  std::string text = fmt::format(
      "**{}**\n", escape(trim(std::string_view(failure.message).substr(0, line)), 1000));
  if (!failure.hint.empty()) {
    text += "\n" + escape(failure.hint, 1000);
  }
  text = alert("CAUTION", text);
  return line == std::string::npos ? text : text + quoted(failure.message.substr(line)) + "\n";
}

std::string facts_table(const Failure& failure) {
  return facts({
      {"While", escape(failure.step)},
      {"Flake", code(failure.flake)},
      {"System", escape(failure.system)},
      {"Seed", image_link(failure.image, failure.run)},
      {"Exit code",
       failure.id.empty() ? std::to_string(failure.exit_code)
                          : fmt::format("{} · {}", failure.exit_code, escape(failure.id))},
  });
}

std::string log_command(const FailedDerivation& derivation) {
  return os::to_shell({"nix", "log", derivation.path});
}

std::string log_of(const FailedDerivation& derivation, bool nix_log, Fold fold) {
  const std::size_t shown = std::min(derivation.log.size(), kShownLogLines);
  const std::size_t all = std::max(derivation.log.size(), derivation.log_lines);
  std::string title = "❌ <b>" + html(derivation_name(derivation.path)) + "</b>";
  title += derivation.why.empty() ? "" : " · " + html(derivation.why);
  title += shown < all ? fmt::format(" · the last {} of {} lines", shown, all)
                       : " · " + counted(all, "line");
  const auto skipped = static_cast<std::ptrdiff_t>(derivation.log.size() - shown);
  return details(title,
                 fenced("text", {derivation.log.begin() + skipped, derivation.log.end()}) +
                     (nix_log && shown < all ? "\n" + console({"$ " + log_command(derivation)})
                                             : std::string()),
                 fold);
}

std::string omitted_logs(const std::vector<const FailedDerivation*>& omitted, bool nix_log) {
  if (omitted.empty()) {
    return {};
  }
  if (!nix_log) {
    return fmt::format("\n{} omitted, since a summary has a limit; the job's own log has them.\n",
                       counted(omitted.size(), "log"));
  }
  std::vector<std::string> commands;
  for (std::size_t i = 0; i < std::min(omitted.size(), kShownOmitted); ++i) {
    commands.push_back("$ " + log_command(*omitted[i]));
  }
  if (omitted.size() > kShownOmitted) {
    commands.push_back(fmt::format("# and {} more", omitted.size() - kShownOmitted));
  }
  return fmt::format("\n{} omitted, since a summary has a limit. They are shown by:\n\n{}",
                     counted(omitted.size(), "log"),
                     console(commands));
}

/// The newest first, since it is most often the one that matters, while `space_bytes` lasts.
std::string logs_of(const Failure& failure, std::size_t space_bytes) {
  const std::vector<FailedDerivation>& failed = failure.failed;
  std::string text;
  std::vector<const FailedDerivation*> omitted;
  for (auto it = failed.rbegin(); it != failed.rend(); ++it) {
    const std::string log =
        log_of(*it, failure.nix_log, it == failed.rbegin() ? Fold::open : Fold::closed);
    if (omitted.empty() && text.size() + log.size() <= space_bytes) {
      text += log;
    } else {
      omitted.push_back(&*it);
    }
  }
  return text + omitted_logs(omitted, failure.nix_log);
}

std::string reproduce(const Failure& failure) {
  if (failure.command != "build" || failure.image.empty()) {
    return {};
  }
  return details(
      "Reproduce locally",
      console({"$ nix-seed build \\", "    " + os::to_shell({"--image", failure.image})}));
}

}  // namespace

std::string to_markdown(const Failure& failure) {
  constexpr std::size_t kOmittedBytes = 20'000;  // what omitted_logs may take
  std::string head = title_of(failure) + explanation(failure) + facts_table(failure);
  std::string tail = notices_of(failure.notices) + chart_of(failure.timings, failure.derivations) +
                     built_table(failure.derivations, {}) + reproduce(failure) +
                     footer(failure.run);
  const std::size_t space = kMaxSummaryBytes - kOmittedBytes - head.size() - tail.size();
  return head + logs_of(failure, space) + tail;
}

}  // namespace seed::report
