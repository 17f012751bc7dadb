#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace seed::os {

using Environment = std::map<std::string, std::string, std::less<>>;

/// The process's own environment, read once.
Environment current_environment();

/// The value, or nothing where it is unset or empty.
std::optional<std::string> get(const Environment& environment, std::string_view name);

struct Command {
  std::vector<std::string> argv;   ///< argv[0] is looked up in PATH
  Environment extra;               ///< added to our own environment
  std::vector<std::string> unset;  ///< taken out of it
  std::filesystem::path directory;
  std::string input;  ///< standard input; empty is /dev/null
  int input_fd = -1;  ///< a descriptor to be standard input instead
};

struct Exit {
  int code = 0;  ///< exit status; 128 + number after a signal

  bool ok() const { return code == 0; }
};

/// Runs programs: an argument list, never a shell.
class Runner {
 public:
  virtual ~Runner() = default;
  /// Both streams are passed on while the program runs; a throw from a sink ends the program.
  /// Throws Error where it can't be started at all.
  virtual Exit run(const Command& command, const Sink& out, const Sink& err) = 0;
};

class SystemRunner final : public Runner {
 public:
  Exit run(const Command& command, const Sink& out, const Sink& err) override;
};

struct Captured {
  Exit exit;
  std::string out;
  std::string err;  ///< the last 64 KiB
};

/// Runs and keeps the output; more than `limit_bytes` of it is an Error.
Captured capture(Runner& runner, const Command& command, std::uint64_t limit_bytes = 256 << 20);

/// As a person would type it; for messages and summaries only.
std::string to_shell(const std::vector<std::string>& argv);

/// Where PATH has `program`, or nothing.
std::optional<std::filesystem::path> find_program(const Environment& environment,
                                                  std::string_view program);

}  // namespace seed::os
