#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/console.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "ci/host.hpp"
#include "os/process.hpp"
#include "report/record.hpp"

namespace seed::app {

/// The entry of the error catalogue that a message names in brackets, "NS002"; empty where none.
std::string catalogue_id(std::string_view message);

/// 32 hex digits from the system's randomness.
std::string random_nonce();

/// What a run has to do with its CI host: the one place where what adapters want done is done.
class CiRun {
 public:
  /// Reads the host out of the environment. Throws UsageError where NIX_SEED_CI names none.
  CiRun(const os::Environment& environment, os::Runner& runner, std::filesystem::path directory);
  /// With a log and randomness of the test's.
  CiRun(const os::Environment& environment,
        os::Runner& runner,
        std::filesystem::path directory,
        Console::Write write,
        std::function<std::string()> nonce);

  const ci::Facts& facts() const { return host_->facts(); }

  Console& console() { return *console_; }

  /// Begins a command that reports: masks secrets, and looks whether its outputs and its summary
  /// (`summary`: a file, "false" or empty for the host's own) have a place. Throws UsageError where
  /// they have none, so that nothing long is done in vain.
  void start(std::string_view command, const std::string& summary);

  /// A secret that turned up during the run: no log, no output and no summary shows it from here
  /// on, and the host is told of it.
  void hide(const std::string& secret);

  /// The flake is here: annotations name its files.
  void set_flake_folder(std::filesystem::path folder) { flake_folder_ = std::move(folder); }

  /// What is said of the run should it fail from here on.
  void expect(std::vector<ci::Output> outputs) { expected_ = std::move(outputs); }

  /// Folds the log until what is returned goes. Groups do not nest.
  std::shared_ptr<void> open_group(const std::string& title, const Clock& clock);
  /// Ends what is folded on hosts where only that ends it.
  void heading(const std::string& title);

  /// Something that people should see without reading the log.
  void tell(ci::Level level, const std::string& message);

  /// Leaves everything with the host. Throws Error where outputs can't be written.
  void deliver(ci::Report report);

  /// Prints the error, and leaves what there is to say of a failed run with the host. Returns
  /// `so_far` with the error in it.
  report::Failure fail(const Error& error, report::Failure so_far = {});

 private:
  void apply(const ci::Effects& effects);
  void run(const ci::Run& effect);
  void write_file(const std::filesystem::path& path, const std::function<void()>& write);
  void withhold_masked(ci::Report& report);
  void to_summary_file(std::string& markdown);
  ci::Annotation annotation(ci::Level level, const std::string& message) const;

  os::Runner& runner_;
  std::filesystem::path directory_;
  std::function<std::string()> nonce_;
  std::unique_ptr<ci::Host> host_;
  std::vector<std::string> secrets_;
  std::unique_ptr<Console> console_;
  std::string command_;
  std::string summary_;
  std::filesystem::path flake_folder_;
  std::vector<ci::Output> expected_;
  std::vector<ci::Annotation> annotations_;
};

}  // namespace seed::app
