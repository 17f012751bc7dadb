#pragma once

#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "app/ci_run.hpp"
#include "app/journal.hpp"
#include "app/warning_filter.hpp"
#include "base/clock.hpp"
#include "base/progress.hpp"
#include "http/http.hpp"
#include "os/process.hpp"

namespace seed::app {

/// The real things a command works with; tests pass their own.
struct World {
  os::Environment environment;
  std::filesystem::path directory;  ///< working directory
  std::filesystem::path self;       ///< this program
  Clock& clock;
  Progress& progress;
  os::Runner& runner;
  http::Transport& transport;
  Journal& journal;
  CiRun* ci = nullptr;  ///< null: nobody but the log is told of the run
};

/// Says on stderr what is going on: bars on a terminal, plain lines elsewhere.
class TerminalProgress final : public Progress {
 public:
  explicit TerminalProgress(Console& console);
  ~TerminalProgress() override;
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;
  void step(std::string_view what) override;
  void notice(std::string_view what) override;
  void bytes(std::uint64_t done, std::uint64_t total) override;
  void output(std::string_view text) override;

 private:
  void clear_bar();

  Console& console_;
  std::mutex mutex_;
  bool terminal_;
  bool bar_shown_ = false;
  WarningFilter filter_;
  std::chrono::steady_clock::time_point last_bar_;
};

}  // namespace seed::app
