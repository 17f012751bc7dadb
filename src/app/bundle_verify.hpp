#pragma once

#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/world.hpp"

namespace seed::app {

/// `bundle verify`: holds each bundle of `--bundle` to the artifact in its place among `arguments`,
/// or all to the only one, on all cores. Results are in the order of the file.
int bundle_verify(const World& world,
                  const Options& options,
                  const std::vector<std::string>& arguments);

}  // namespace seed::app
