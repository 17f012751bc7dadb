#include "os/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <sched.h>

#include "os/interrupt.hpp"

namespace seed::os {

void for_each_index(std::size_t count,
                    unsigned workers,
                    const std::function<void(std::size_t)>& task) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  std::exception_ptr first;
  const auto work = [&] {
    for (std::size_t i = next++; i < count && !stop; i = next++) {
      try {
        check_interrupt();
        task(i);
      } catch (...) {
        stop = true;
        const std::lock_guard lock(mutex);
        if (!first) {
          first = std::current_exception();
        }
      }
    }
  };
  const std::size_t threads = std::min<std::size_t>(std::max(workers, 1U), count);
  if (threads <= 1) {
    work();
  } else {
    std::vector<std::jthread> pool;
    for (std::size_t n = 0; n < threads; ++n) {
      pool.emplace_back(work);
    }
  }
  if (first) {
    std::rethrow_exception(first);
  }
}

unsigned default_workers() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    return 2;
  }
  return static_cast<unsigned>(std::clamp(CPU_COUNT(&set), 1, 8));
}

}  // namespace seed::os
