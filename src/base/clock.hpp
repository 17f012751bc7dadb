#pragma once

#include <chrono>

namespace seed {

using Time = std::chrono::sys_seconds;

/// The only way to the time of day; tests pass one that they move themselves.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  virtual void sleep(std::chrono::milliseconds duration) = 0;
};

}  // namespace seed
