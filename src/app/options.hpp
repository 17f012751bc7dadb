#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "os/process.hpp"

namespace seed::app {

/// One option of a command. The same name is the flag (`--registry`) and, upper-cased with `_` for
/// `-` behind NIX_SEED_, the environment variable.
struct OptionSpec {
  std::string_view name;
  std::string_view argument;  ///< what the value is called in help; empty: a yes/no flag
  std::string_view help;
};

/// A command's options as given: the flag wins over the variable.
class Options {
 public:
  /// Throws UsageError naming the option.
  static Options parse(std::string_view command,
                       std::span<const OptionSpec> specs,
                       const std::vector<std::string>& arguments,
                       const os::Environment& environment);

  std::optional<std::string> get(std::string_view name) const;
  bool flag(std::string_view name) const;
  /// A whole number in [low, high]. Throws UsageError.
  std::optional<unsigned> number(std::string_view name, unsigned low, unsigned high) const;

  const std::vector<std::string>& positional() const { return positional_; }

  /// The words of `text`, where the command line has none.
  void or_positional(std::string_view text);

 private:
  os::Environment values_;
  std::vector<std::string> positional_;
};

/// The variable that stands for an option: "registry" -> NIX_SEED_REGISTRY.
std::string variable_of(std::string_view option);

/// The word that a mistyped one was most likely meant to be; nothing where none is near.
std::optional<std::string> nearest(std::string_view word,
                                   const std::vector<std::string_view>& words);

/// The options part of a command's help.
std::string options_help(std::span<const OptionSpec> specs);

}  // namespace seed::app
