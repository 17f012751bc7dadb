#pragma once

#include "base/clock.hpp"

namespace seed::os {

class SystemClock final : public Clock {
 public:
  Time now() const override;
  /// Returns early, by throwing Interrupted, when a signal asks us to stop.
  void sleep(std::chrono::milliseconds duration) override;
};

}  // namespace seed::os
