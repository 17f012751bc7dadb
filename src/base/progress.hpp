#pragma once

#include <cstdint>
#include <string_view>

namespace seed {

/// Tells a person what is going on. Implementations are thread-safe; values that later steps need
/// travel in return values, never through here.
class Progress {
 public:
  virtual ~Progress() = default;
  /// One line about a step, e.g. "reading flake.lock".
  virtual void step(std::string_view what) = 0;
  /// One line a person should not miss, not an error.
  virtual void notice(std::string_view what) = 0;
  /// Bytes done of the bytes known so far for the step named last.
  virtual void bytes(std::uint64_t done, std::uint64_t total) = 0;
  /// Output of a program we run (Nix), passed on as it is.
  virtual void output(std::string_view text) = 0;
};

}  // namespace seed
