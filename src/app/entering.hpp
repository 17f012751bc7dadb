#pragma once

#include <optional>
#include <string>

#include "app/building.hpp"
#include "app/gate.hpp"
#include "os/file.hpp"

namespace seed::app {

/// Whether this process runs in a container of a seed.
bool inside_seed();

/// Chooses a seed, has the gate look at it, and only then gets and enters it. Where there is none
/// to use, `choice` says why and the place is empty. Throws what the gate and a registry that is
/// required throw. Call it before any thread is started.
Place enter_seed(const World& world,
                 const Options& options,
                 const Gate& gate,
                 const Project& project,
                 const std::string& system,
                 const Inside& inside,
                 SeedChoice& choice,
                 std::optional<os::FileLock>& lock);

}  // namespace seed::app
