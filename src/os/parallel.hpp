#pragma once

#include <cstddef>
#include <functional>

namespace seed::os {

/// Calls `task(i)` for every i below `count` on up to `workers` threads, lowest first. The first
/// throw stops what has not started and is rethrown here after every thread has ended.
/// `task` writes its result to slot i, so that the schedule does not show.
void for_each_index(std::size_t count,
                    unsigned workers,
                    const std::function<void(std::size_t)>& task);

/// How many threads to use where nobody said: the CPUs we may run on, at most 8.
unsigned default_workers();

}  // namespace seed::os
