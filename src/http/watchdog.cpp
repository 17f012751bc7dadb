#include "http/watchdog.hpp"

#include <fmt/core.h>

namespace seed::http {

void Watchdog::restart(std::uint64_t done_bytes) {
  since_ = Steady::now();
  done_at_since_ = done_bytes;
}

std::optional<std::string> Watchdog::tick(std::uint64_t done_bytes, bool all_sent, bool answered) {
  const bool waiting = all_sent && !answered;
  if (waiting != waiting_) {
    waiting_ = waiting;
    restart(done_bytes);
    return std::nullopt;
  }
  const auto passed = Steady::now() - since_;
  const std::uint64_t moved = done_bytes - done_at_since_;
  if (waiting) {
    // libcurl reports the last bytes of a body after they were taken from us.
    if (moved != 0) {
      restart(done_bytes);
    } else if (passed >= limits_.connect_timeout + limits_.response_timeout) {
      return fmt::format("no answer for {} ms", limits_.response_timeout.count());
    }
    return std::nullopt;
  }
  if (passed < limits_.low_speed_time) {
    return std::nullopt;
  }
  const auto needed =
      limits_.low_speed_bytes * static_cast<std::uint64_t>(limits_.low_speed_time.count()) / 1000;
  if (moved < needed) {
    return fmt::format("only {} bytes moved in {} ms", moved, limits_.low_speed_time.count());
  }
  restart(done_bytes);
  return std::nullopt;
}

}  // namespace seed::http
