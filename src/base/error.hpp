#pragma once

#include <concepts>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace seed {

/// What the process says to whoever started it. DESIGN: scripts rely on these numbers.
enum class ExitCode : int {
  done = 0,
  failed = 1,   ///< the build, or a step on this machine
  usage = 2,    ///< options, configuration or an input file of the user's
  refused = 3,  ///< bytes or signatures are not what they claim to be
  quorum = 4,   ///< too few builders agree
  network = 5,  ///< a registry or service, after retries
  interrupted = 130,
};

/// A failure that ends the step. It is thrown with what was wrong, gains what was being done while
/// it unwinds, and is printed once, by app.
class Error : public std::exception {
 public:
  /// `message`: lower case, the offending value in it, no secret. `hint`: what to do next.
  explicit Error(std::string message, std::string hint = {}, ExitCode code = ExitCode::failed);

  /// Puts "doing: " before the message.
  void add_context(std::string_view doing);

  const char* what() const noexcept override { return message_.c_str(); }

  const std::string& message() const { return message_; }

  const std::string& hint() const { return hint_; }

  ExitCode code() const { return code_; }

 private:
  std::string message_;
  std::string hint_;
  ExitCode code_;
};

/// The command line, the configuration or a file of the user's is wrong.
class UsageError : public Error {
 public:
  explicit UsageError(std::string message, std::string hint = {})
      : Error(std::move(message), std::move(hint), ExitCode::usage) {}
};

/// Bytes from outside do not have the form their reader was promised.
class FormatError : public Error {
 public:
  explicit FormatError(std::string message, std::string hint = {})
      : Error(std::move(message), std::move(hint), ExitCode::usage) {}
};

/// Bytes are well formed but are not the ones that were named: wrong digest, wrong size.
class IntegrityError : public Error {
 public:
  explicit IntegrityError(std::string message, std::string hint = {})
      : Error(std::move(message), std::move(hint), ExitCode::refused) {}
};

/// A peer failed, refused or could not be reached. `status` is the HTTP status, 0 where none came.
class NetworkError : public Error {
 public:
  explicit NetworkError(std::string message,
                        std::string hint = {},
                        int status = 0,
                        bool retryable = false)
      : Error(std::move(message), std::move(hint), ExitCode::network),
        status_(status),
        retryable_(retryable) {}

  int status() const { return status_; }

  bool retryable() const { return retryable_; }

 private:
  int status_;
  bool retryable_;
};

/// The user or the host asked us to stop (SIGINT, SIGTERM).
class Interrupted : public Error {
 public:
  Interrupted() : Error("interrupted", {}, ExitCode::interrupted) {}
};

/// Runs `step`; an Error that leaves it says what was being done.
template <std::invocable Step>
decltype(auto) while_doing(std::string_view doing, Step&& step) {
  try {
    return std::forward<Step>(step)();
  } catch (Error& error) {
    error.add_context(doing);
    throw;
  }
}

}  // namespace seed
