#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "ci/host.hpp"
#include "ci/secrets.hpp"

namespace seed::app {

/// Onto the process's own.
void write_to_streams(ci::Stream stream, std::string_view text);

/// The one way to the log (stderr) and to the result (stdout). No secret passes, and no text from
/// elsewhere is a command to the CI host. Thread-safe.
class Console {
 public:
  /// Where text ends up; tests give their own.
  using Write = std::function<void(ci::Stream, std::string_view)>;

  Console(const ci::Host& host,
          ci::Redactor redact,
          std::function<std::string()> nonce,
          Write write);
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  /// Lines of our own.
  void say(std::string_view text);
  /// What other programs write, as it comes; lines are shown once they are whole.
  void foreign(std::string_view chunk);
  /// Shows a line of foreign() that did not end.
  void end_foreign();
  /// A line that is meant to be a command.
  void command(const ci::Print& print);
  /// The result, for standard output.
  void result(std::string_view text);
  /// From here on, these are taken out of everything.
  void redact(ci::Redactor redactor);
  /// Terminal control, passed on as it is.
  void control(std::string_view text);

  const ci::Redactor& redactor() const { return redact_; }

 private:
  void put_line(std::string_view line);
  void stop_commands();
  void resume_commands();

  const ci::Host& host_;
  ci::Redactor redact_;
  std::function<std::string()> nonce_;
  Write write_;
  std::mutex mutex_;
  std::string partial_;
  std::string stopped_;  ///< the token by which commands go on; empty: they are not stopped
};

}  // namespace seed::app
