#include "base/error.hpp"

namespace seed {

Error::Error(std::string message, std::string hint, ExitCode code)
    : message_(std::move(message)), hint_(std::move(hint)), code_(code) {}

void Error::add_context(std::string_view doing) {
  // The step below may have said it in the same words.
  if (message_.starts_with(doing) && message_.compare(doing.size(), 2, ": ") == 0) {
    return;
  }
  message_.insert(0, ": ");
  message_.insert(0, doing);
}

}  // namespace seed
