#include "os/clock.hpp"

#include <algorithm>
#include <thread>

#include "os/interrupt.hpp"

namespace seed::os {

Time SystemClock::now() const {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

void SystemClock::sleep(std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds kSlice{100};
  const auto end = std::chrono::steady_clock::now() + duration;
  for (auto now = std::chrono::steady_clock::now(); now < end;
       now = std::chrono::steady_clock::now()) {
    check_interrupt();
    std::this_thread::sleep_for(std::min<std::chrono::steady_clock::duration>(kSlice, end - now));
  }
}

}  // namespace seed::os
