#include "base/error.hpp"

namespace seed {

Error::Error(std::string message, std::string hint, ExitCode code)
    : message_(std::move(message)), hint_(std::move(hint)), code_(code) {}

void Error::add_context(std::string_view doing) {
  message_.insert(0, ": ");
  message_.insert(0, doing);
}

}  // namespace seed
