#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace seed::nix {

/// A derivation that Nix began to build.
struct BuildActivity {
  std::string derivation;  ///< store path
  double start = 0;        ///< seconds, by the clock of the BuildLog
  double seconds = 0;
  bool failed = false;
  std::string why;              ///< "exit code 1"; empty where Nix does not say
  std::deque<std::string> log;  ///< its last lines
  std::size_t log_lines = 0;    ///< all of them
};

/// Reads what `nix build --log-format internal-json` writes to stderr, which says when each builder
/// starts and ends and whose line is whose, and turns it into what people read. Lines of another
/// form pass as they are.
class BuildLog {
 public:
  static constexpr std::size_t kKeptLines = 100;
  static constexpr std::size_t kMaxLineBytes = 2000;          ///< of a kept line
  static constexpr std::size_t kMaxInputLineBytes = 1 << 20;  ///< a longer one is shown as it is
  static constexpr std::size_t kMaxActivities = 10'000;
  static constexpr std::size_t kKeptLogs = 200;  ///< of derivations that ended without failing

  /// `now`: seconds since the run began.
  explicit BuildLog(std::function<double()> now) : now_(std::move(now)) {}

  /// What to show of the stream so far: whole lines.
  std::string take(std::string_view chunk);
  /// What is left at the end of the stream; builds that did not end, end now.
  std::string finish();

  /// In the order in which they began.
  const std::vector<BuildActivity>& activities() const { return activities_; }

 private:
  std::string show(std::string_view line);
  std::string begin(const std::string& derivation, std::uint64_t id);
  std::string add_line(std::uint64_t id, const std::string& line);
  void end(std::uint64_t id);
  void note_failure(const std::string& message);

  std::function<double()> now_;
  std::string line_;
  bool passing_ = false;  ///< inside a line that is too long to read
  std::vector<BuildActivity> activities_;
  std::map<std::uint64_t, std::size_t> running_;  ///< activity -> index
  std::deque<std::size_t> ended_;                 ///< those whose logs are still kept
};

}  // namespace seed::nix
