#include "app/watching.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "trust/log_state.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxStateBytes = 16 << 20;
constexpr std::uint64_t kMaxWitnessBytes = 1 << 20;
/// Before a reference in --log-state, which is a file's name otherwise.
constexpr std::string_view kRegistryPrefix = "registry:";
constexpr const char* kDefaultTag = "log-checkpoints";

std::vector<sigstore::Witness> witnesses_for(const World& world, const Options& options) {
  const auto name = options.get("witnesses");
  if (!name) {
    if (options.get("witness-quorum")) {
      throw UsageError("--witness-quorum without witnesses", "name their keys with --witnesses");
    }
    return {};
  }
  return while_doing("reading --witnesses " + *name, [&] {
    return sigstore::parse_witnesses(os::read_file(world.directory / *name, kMaxWitnessBytes));
  });
}

std::string names_of(const std::vector<sigstore::Cosignature>& cosignatures) {
  std::string names;
  for (const sigstore::Cosignature& one : cosignatures) {
    names += (names.empty() ? ": " : ", ") + printable(one.witness);
  }
  return names;
}

sigstore::LogState read_file_state(const fs::path& file) {
  std::error_code code;
  if (!fs::exists(file, code)) {
    return {};
  }
  return while_doing("reading " + file.string(), [&] {
    return sigstore::parse_log_state(os::read_file(file, kMaxStateBytes));
  });
}

}  // namespace

std::vector<const sigstore::TrustedLog*> watched_logs(const trust::QuorumPolicy& policy,
                                                      const sigstore::TrustedRoot& root,
                                                      Time now) {
  std::vector<const sigstore::TrustedLog*> logs;
  for (const sigstore::TrustedLog& log : root.transparency_logs) {
    if (policy.is_log(log.base_url) && log.validity.contains(now)) {
      logs.push_back(&log);
    }
  }
  if (logs.empty()) {
    throw UsageError("the trusted root has no log that 'rekor.logs' names and that is in service",
                     "write the logs' addresses as the trusted root has them");
  }
  return logs;
}

LogWatch::LogWatch(const World& world, const Options& options)
    : witnesses_(witnesses_for(world, options)) {
  const auto all = static_cast<unsigned>(witnesses_.size());
  witness_quorum_ = all == 0 ? 0 : options.number("witness-quorum", 1, all).value_or(all);
  const auto name = options.get("log-state");
  if (name && name->starts_with(kRegistryPrefix)) {
    Tag tag{.open = open_repository(world, options, name->substr(kRegistryPrefix.size())),
            .name = kDefaultTag};
    tag.name = tag.open.reference.tag().value_or(tag.name);
    state_ = trust::read_log_state(*tag.open.repository, tag.name).value_or(sigstore::LogState{});
    place_ = std::move(tag);
    return;
  }
  const fs::path file =
      name ? world.directory / *name : usable_cache(world.environment) / "log-checkpoints.json";
  state_ = read_file_state(file);
  place_ = file;
}

WatchedLog LogWatch::look(sigstore::LogReader& reader) {
  return while_doing("watching " + reader.log().base_url, [&] {
    // Nothing is kept of a log that too few vouch for.
    sigstore::LogState state = state_;
    WatchedLog watched{.growth = sigstore::watch(reader, state), .witnesses = {}};
    const std::string& note = watched.growth.now.note();
    watched.witnesses = sigstore::cosignatures_of(sigstore::parse_note(note), witnesses_);
    if (watched.witnesses.size() < witness_quorum_) {
      throw IntegrityError(
          fmt::format("{} of {} witnesses have signed its checkpoint, and {} have to{}\n\n{}",
                      watched.witnesses.size(),
                      witnesses_.size(),
                      witness_quorum_,
                      names_of(watched.witnesses),
                      note),
          "a log may show you what it shows no witness: believe no new entry of it; witnesses that "
          "are down have to be replaced in --witnesses");
    }
    state_ = std::move(state);
    return watched;
  });
}

void LogWatch::save() {
  if (const auto* file = std::get_if<fs::path>(&place_)) {
    os::atomic_write(*file, sigstore::to_json(state_));
    return;
  }
  const Tag& tag = std::get<Tag>(place_);
  trust::write_log_state(*tag.open.repository, tag.name, state_);
}

}  // namespace seed::app
