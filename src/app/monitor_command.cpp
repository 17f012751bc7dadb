#include <algorithm>
#include <array>
#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/project.hpp"
#include "app/publish_report.hpp"
#include "app/quorum_policy.hpp"
#include "app/trust_material.hpp"
#include "app/watching.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/rfc3339.hpp"
#include "trust/monitor.hpp"

namespace seed::app {
namespace {

constexpr unsigned kDefaultLimit = 100'000;
constexpr unsigned kMostEntries = 10'000'000;

constexpr std::array kOptions{
    kPolicyOption,
    OptionSpec{"registry", "REF", "repositories whose bundles are known; default: the policy's"},
    OptionSpec{
        "log-state", "FILE", "the logs' last checkpoints, or registry:REF; default: in the cache"},
    kWitnessesOption,
    kWitnessQuorumOption,
    OptionSpec{"limit", "N", "read at most N new entries of a log; default 100000"},
    kTrustedRootOption,
    OptionSpec{"insecure", "", "speak plain http to the registry"},
    OptionSpec{"json", "", "print the result as JSON"},
};

/// What was seen of one log.
struct LogReport {
  std::string log;
  std::string origin;
  std::optional<std::int64_t> before;
  std::int64_t size = 0;
  bool complete = false;  ///< every entry since the last run was read
  std::string incomplete;
  std::vector<sigstore::Cosignature> witnesses;
  std::vector<trust::BuilderEntry> strays;
};

std::set<trust::LogPlace> known_places(const World& world,
                                       const Options& options,
                                       const trust::QuorumPolicy& policy) {
  std::vector<std::string> names = words_of(options, "registry");
  if (names.empty()) {
    names.push_back(policy.registry().value_or(""));
    for (const trust::KnownBuilder& builder : policy.builders()) {
      names.push_back(builder.cfg.registry);
    }
  }
  std::set<std::string> seen{""};
  std::set<trust::LogPlace> known;
  for (const std::string& name : names) {
    if (seen.insert(name).second) {
      const OpenRepository open = open_repository(world, options, name);
      while_doing("reading the bundles in " + open.repository->name(),
                  [&] { known.merge(trust::known_entries(*open.repository)); });
    }
  }
  if (seen.size() == 1) {
    throw UsageError("nothing says which repositories have our bundles",
                     "name them with --registry, or in the policy");
  }
  return known;
}

/// Entries by our builders that no bundle of ours has.
void look_for_strays(const World& world,
                     const trust::QuorumPolicy& policy,
                     sigstore::LogReader& reader,
                     const sigstore::LogGrowth& growth,
                     unsigned limit,
                     const std::set<trust::LogPlace>& known,
                     LogReport& report) {
  const auto take = [&](const trust::BuilderEntry& entry) {
    if (!known.contains({reader.log().log_id, entry.index})) {
      report.strays.push_back(entry);
    }
  };
  if (reader.has_tiles()) {
    if (!growth.before) {
      report.incomplete = "this is the first look at it: entries from here on are read";
      return;
    }
    reader.read_entries(
        *growth.before, growth.now, limit, [&](std::int64_t index, std::string_view body) {
          if (const auto builder = trust::builder_of_entry(policy, body)) {
            take({*builder, index});
          }
        });
    report.complete = true;
    return;
  }
  report.incomplete = "it has no tiles: its search was asked, which may leave entries out";
  for (const trust::BuilderEntry& entry :
       trust::search_entries(world.transport, reader.log(), policy)) {
    take(entry);
  }
}

nlohmann::json to_json(const std::vector<LogReport>& reports) {
  nlohmann::json logs = nlohmann::json::array();
  for (const LogReport& report : reports) {
    nlohmann::json strays = nlohmann::json::array();
    for (const trust::BuilderEntry& stray : report.strays) {
      strays.push_back({{"builder", stray.builder}, {"index", stray.index}});
    }
    nlohmann::json witnesses = nlohmann::json::array();
    for (const sigstore::Cosignature& one : report.witnesses) {
      witnesses.push_back({{"name", one.witness}, {"time", sigstore::to_rfc3339(one.time)}});
    }
    logs.push_back({{"log", report.log},
                    {"origin", report.origin},
                    {"before", report.before ? nlohmann::json(*report.before) : nlohmann::json()},
                    {"size", report.size},
                    {"complete", report.complete},
                    {"incomplete", report.incomplete},
                    {"witnesses", witnesses},
                    {"unknown", strays}});
  }
  return {{"command", "monitor"}, {"logs", logs}};
}

std::string to_text(const LogReport& report) {
  std::string text =
      fmt::format("{}: {} entries{}, consistent\n",
                  report.log,
                  report.size,
                  report.before ? fmt::format(", {} at the last look", *report.before) : "");
  for (const sigstore::Cosignature& one : report.witnesses) {
    text += fmt::format("  {} saw it so at {}\n", one.witness, sigstore::to_rfc3339(one.time));
  }
  if (!report.incomplete.empty()) {
    text += fmt::format("  {}\n", report.incomplete);
  }
  for (const trust::BuilderEntry& stray : report.strays) {
    text += fmt::format(
        "  entry {} was signed by {}, and no bundle of ours has it\n", stray.index, stray.builder);
  }
  return text;
}

int run_monitor(const World& world, const Options& options) {
  const trust::QuorumPolicy policy = quorum_policy_for(world, options);
  const sigstore::TrustedRoot root = trusted_root_for(world, options);
  const unsigned limit = options.number("limit", 1, kMostEntries).value_or(kDefaultLimit);
  const auto known = known_places(world, options, policy);
  LogWatch watch(world, options);
  std::vector<LogReport> reports;
  bool strays = false;
  for (const sigstore::TrustedLog* log : watched_logs(policy, root, world.clock.now())) {
    sigstore::LogReader reader(world.transport, *log);
    const WatchedLog watched = watch.look(reader);
    const sigstore::LogGrowth& growth = watched.growth;
    LogReport report{.log = log->base_url,
                     .origin = growth.now.origin(),
                     .size = growth.now.size(),
                     .witnesses = watched.witnesses};
    if (growth.before) {
      report.before = growth.before->size();
    }
    look_for_strays(world, policy, reader, growth, limit, known, report);
    strays = strays || !report.strays.empty();
    world.progress.output(to_text(report));
    reports.push_back(std::move(report));
  }
  watch.save();
  if (options.flag("json")) {
    print_result(world, to_json(reports).dump(2) + "\n");
  }
  return static_cast<int>(strays ? ExitCode::refused : ExitCode::done);
}

}  // namespace

const Command kMonitorCommand{"monitor",
                              "",
                              "watch the logs for what our builders did not publish",
                              "Checks that each log of the policy has only grown since the last "
                              "run, and looks for entries that\n"
                              "a builder's identity signed and no bundle in our repositories has. "
                              "Exit code 3: there is one, or\n"
                              "a log has two histories.",
                              kOptions,
                              run_monitor,
                              "nix-seed monitor --log-state checkpoints.json"};

}  // namespace seed::app
