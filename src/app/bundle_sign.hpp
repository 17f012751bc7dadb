#pragma once

#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/world.hpp"

namespace seed::app {

/// `bundle sign`: signs the file that `arguments` name, writes the bundle to `--bundle`. With
/// `--in-toto` the file is a statement.
int bundle_sign(const World& world,
                const Options& options,
                const std::vector<std::string>& arguments);

}  // namespace seed::app
