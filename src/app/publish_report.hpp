#pragma once

#include <string>

#include "app/options.hpp"
#include "app/world.hpp"

namespace seed::app {

/// Appends to `--summary`, or to the file in which the CI host collects summaries; does nothing
/// where there is neither. A file that can't be written is a notice, not a failure: the work is
/// done.
void append_summary(const World& world, const Options& options, const std::string& markdown);

}  // namespace seed::app
