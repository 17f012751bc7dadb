#include "app/watching.hpp"

#include <fmt/core.h>

#include "app/project.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxStateBytes = 16 << 20;

}  // namespace

fs::path log_state_file(const World& world, const Options& options) {
  if (const auto name = options.get("log-state")) {
    return world.directory / *name;
  }
  return usable_cache(world.environment) / "log-checkpoints.json";
}

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

LogWatch::LogWatch(fs::path file) : file_(std::move(file)) {
  std::error_code code;
  if (fs::exists(file_, code)) {
    while_doing("reading " + file_.string(),
                [&] { state_ = sigstore::parse_log_state(os::read_file(file_, kMaxStateBytes)); });
  }
}

sigstore::LogGrowth LogWatch::look(sigstore::LogReader& reader) {
  return while_doing("watching " + reader.log().base_url,
                     [&] { return sigstore::watch(reader, state_); });
}

void LogWatch::save() const {
  os::atomic_write(file_, sigstore::to_json(state_));
}

}  // namespace seed::app
