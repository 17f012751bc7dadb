#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "nix/build_log.hpp"
#include "report/otlp.hpp"
#include "report/record.hpp"

namespace seed::app {

/// What a run has done so far: for its summary and its spans, however it ends.
struct Journal {
  std::string command;  ///< seed, build, …
  bool json = false;    ///< a failure is to be printed as JSON
  std::string flake;
  std::string system;
  std::string image;  ///< the seed in use, by digest
  std::vector<report::Timing> timings;
  std::vector<nix::BuildActivity> builds;
  std::vector<image::LayerReceipt> layers;  ///< of the seed that was made
  bool nix_log = true;                      ///< this machine's Nix has the logs of `builds`
  report::Attributes attributes;            ///< of the run's span
  std::int64_t start_ns = 0;                ///< of the first step, since 1970; 0 before it
  std::chrono::steady_clock::time_point start;

  /// Seconds since the first step began.
  double elapsed() const;
};

/// Nanoseconds since 1970.
std::int64_t unix_nanoseconds();

/// Folds the log of a step that begins, until what it returns goes; null: it stays unfolded.
using OpenGroup = std::function<std::shared_ptr<void>(std::string_view step)>;

/// Measures the steps of a run.
class Stopwatch {
 public:
  explicit Stopwatch(Journal& journal, OpenGroup open_group = {})
      : journal_(journal), open_group_(std::move(open_group)) {}

  /// The step under way ends here, also when it fails.
  ~Stopwatch() { stop(); }

  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

  /// Ends the step under way and starts the next.
  void start(std::string step);
  void stop();

 private:
  Journal& journal_;
  OpenGroup open_group_;
  std::shared_ptr<void> group_;
  std::string step_;
  std::chrono::steady_clock::time_point since_;
};

/// Fills times and derivations in from the journal, and tells it what came of the run.
void complete(report::SeedRecord& record, Journal& journal);
void complete(report::BuildRecord& record, Journal& journal);

/// What a run had done when it failed.
report::Failure failure_of(const Journal& journal);

/// The error of a `nix build` that exited with `exit_code`: which derivations failed, where Nix
/// said so.
Error build_error(const Journal& journal, int exit_code);

}  // namespace seed::app
