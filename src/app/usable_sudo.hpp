#pragma once

#include <optional>

#include "app/options.hpp"
#include "app/world.hpp"
#include "os/sudo.hpp"

namespace seed::app {

/// Who may ask root, where this process is not root: on CI hosts, whose runners are there for one
/// job, and where a person says `--delivery mount`. Nobody where there is no sudo. Whether it works
/// without a password is seen when it is used.
std::optional<os::Sudo> usable_sudo(const World& world, const Options& options);

}  // namespace seed::app
