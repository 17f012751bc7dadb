#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace seed::ci {

enum class Stream { out, err };

/// A line for the log, which the host may take for a command.
struct Print {
  std::string line;
  Stream stream = Stream::err;
  bool secret = false;  ///< names a secret to the host, and so is not redacted
  bool operator==(const Print&) const = default;
};

/// More text for a file that other programs add to as well.
struct Append {
  std::filesystem::path path;
  std::string text;
  std::uint64_t limit_bytes = 0;  ///< of the file with the text; 0: none
  bool operator==(const Append&) const = default;
};

/// A file of our own.
struct Write {
  std::filesystem::path path;
  std::string text;
  bool operator==(const Write&) const = default;
};

/// A program of the host's to run.
struct Run {
  std::vector<std::string> argv;
  std::string input;
  bool operator==(const Run&) const = default;
};

using Effect = std::variant<Print, Append, Write, Run>;
using Effects = std::vector<Effect>;

/// Adds `more` to the end of `effects`.
void add(Effects& effects, Effects more);

}  // namespace seed::ci
