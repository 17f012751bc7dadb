#pragma once

#include <span>
#include <string_view>

#include "app/options.hpp"
#include "app/world.hpp"

namespace seed::app {

/// One row of the program's table: a command, its help and its function, each in a file of its own.
struct Command {
  std::string_view name;
  std::string_view arguments;
  std::string_view help;  ///< one line
  std::string_view description;
  std::span<const OptionSpec> options;
  int (*run)(const World&, const Options&);
  std::string_view example;
  bool reports = false;  ///< leaves outputs and a summary with the CI host
};

extern const Command kSeedCommand;
extern const Command kPlanCommand;
extern const Command kBuildCommand;
extern const Command kRunCommand;
extern const Command kTagCommand;
extern const Command kAttestCommand;
extern const Command kVerifyCommand;
extern const Command kInspectCommand;
extern const Command kBundleCommand;
extern const Command kPolicyCommand;
extern const Command kDoctorCommand;
extern const Command kPromoteCommand;
extern const Command kMonitorCommand;
extern const Command kBuildersCommand;

/// Finds the command, runs it, prints an error once, and returns the exit code.
int run(int argc, char** argv);

}  // namespace seed::app
