#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "app/options.hpp"
#include "app/project.hpp"
#include "app/world.hpp"
#include "sigstore/log_watch.hpp"
#include "sigstore/witness.hpp"
#include "trust/builders.hpp"

namespace seed::app {

// Options of every command that watches logs.
inline constexpr OptionSpec kWitnessesOption{
    "witnesses", "FILE", "who has to have signed the logs' checkpoints too: keys, one a line"};
inline constexpr OptionSpec kWitnessQuorumOption{
    "witness-quorum", "N", "so many of the witnesses are enough; default: all of them"};

/// The policy's logs, as the root knows them, that are in service. Throws UsageError for a log that
/// the root does not know.
std::vector<const sigstore::TrustedLog*> watched_logs(const trust::QuorumPolicy& policy,
                                                      const sigstore::TrustedRoot& root,
                                                      Time now);

/// A log that has only grown, and who else says so.
struct WatchedLog {
  sigstore::LogGrowth growth;
  std::vector<sigstore::Cosignature> witnesses;
};

/// What logs were at the last run: in the file or at the registry's tag that `--log-state` names,
/// or in a file of the cache.
class LogWatch {
 public:
  LogWatch(const World& world, const Options& options);

  /// Checks that the log has only grown, and that enough witnesses say so. What it has grown to is
  /// kept by save().
  WatchedLog look(sigstore::LogReader& reader);
  void save();

 private:
  struct Tag {
    OpenRepository open;
    std::string name;
  };

  std::variant<std::filesystem::path, Tag> place_;
  std::vector<sigstore::Witness> witnesses_;
  std::size_t witness_quorum_ = 0;
  sigstore::LogState state_;
};

}  // namespace seed::app
