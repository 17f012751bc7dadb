#pragma once

#include <span>
#include <string>
#include <string_view>

#include "app/commands.hpp"

namespace seed::app {

/// Every command, in the order in which people meet them.
std::span<const Command* const> commands();

/// Nothing: there is no such command.
const Command* find_command(std::string_view name);

/// What `nix-seed --help` prints.
std::string overview();

/// What `nix-seed COMMAND --help` prints.
std::string help_of(const Command& command);

}  // namespace seed::app
