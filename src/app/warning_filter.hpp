#pragma once

#include <set>
#include <string>
#include <string_view>

namespace seed::app {

/// Nix warns anew in each of the many processes that we start. People see each warning once, and
/// those that say nothing about their flake never. Other text passes as it comes.
class WarningFilter {
 public:
  /// What to show of the stream so far; the start of a line that may be a warning is held back.
  std::string take(std::string_view chunk);
  /// What was held back: for the end of a stream.
  std::string rest();

 private:
  bool may_be_warning() const;
  void end_line(std::string& shown);

  std::string line_;  ///< held back
  bool passing_ = false;
  std::set<std::string, std::less<>> seen_;
};

}  // namespace seed::app
