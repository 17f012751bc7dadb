#pragma once

#include <filesystem>
#include <vector>

#include "app/options.hpp"
#include "app/world.hpp"
#include "sigstore/log_watch.hpp"
#include "trust/builders.hpp"

namespace seed::app {

/// Where the logs' last checkpoints are kept: `--log-state`, or a file in the cache.
std::filesystem::path log_state_file(const World& world, const Options& options);

/// The policy's logs, as the root knows them, that are in service. Throws UsageError for a log that
/// the root does not know.
std::vector<const sigstore::TrustedLog*> watched_logs(const trust::QuorumPolicy& policy,
                                                      const sigstore::TrustedRoot& root,
                                                      Time now);

/// The state of one file.
class LogWatch {
 public:
  explicit LogWatch(std::filesystem::path file);

  /// Checks that the log has only grown. What it has grown to is kept by save().
  sigstore::LogGrowth look(sigstore::LogReader& reader);
  void save() const;

 private:
  std::filesystem::path file_;
  sigstore::LogState state_;
};

}  // namespace seed::app
