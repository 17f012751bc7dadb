#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seed::test {

/// What a job would set, in the order of the file: GITHUB_OUTPUT as actions/runner reads it
/// (FileCommandManager, EnvFileKeyValuePairs). Throws std::runtime_error with the runner's own
/// words where it would fail the step.
std::vector<std::pair<std::string, std::string>> read_file_commands(const std::string& text);

/// A command that the runner found in a log.
struct LogCommand {
  std::string name;
  std::map<std::string, std::string> properties;
  std::string data;
};

/// The commands in a step's log, as actions/runner finds them: lines end at LF and CR, the newer
/// form starts the line, the older one (##[name]) may stand anywhere; stop-commands is obeyed.
std::vector<LogCommand> read_log_commands(const std::string& log);

}  // namespace seed::test
