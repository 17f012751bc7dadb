#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace seed::http {

/// Decides when a transfer is too slow to go on with. libcurl's own low-speed limit also counts the
/// time in which a registry stores what we sent, and in which our own sink is busy; this does not.
class Watchdog {
 public:
  struct Limits {
    std::uint64_t low_speed_bytes = 0;  ///< a second
    std::chrono::milliseconds low_speed_time{};
    std::chrono::milliseconds connect_timeout{};
    std::chrono::milliseconds response_timeout{};
  };

  using Steady = std::chrono::steady_clock;

  explicit Watchdog(const Limits& limits) : limits_(limits), since_(Steady::now()) {}

  /// Why the transfer should end, or nothing. `done_bytes`: moved so far, in both directions.
  std::optional<std::string> tick(std::uint64_t done_bytes, bool all_sent, bool answered);

  /// While this lives, time does not count.
  class Pause {
   public:
    explicit Pause(Watchdog& watchdog) : watchdog_(watchdog), start_(Steady::now()) {}

    ~Pause() { watchdog_.since_ += Steady::now() - start_; }

    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    Watchdog& watchdog_;
    Steady::time_point start_;
  };

  [[nodiscard]] Pause pause() { return Pause(*this); }

 private:
  void restart(std::uint64_t done_bytes);

  Limits limits_;
  Steady::time_point since_;
  std::uint64_t done_at_since_ = 0;
  bool waiting_ = true;
};

}  // namespace seed::http
