#pragma once

#include <string>

#include "app/world.hpp"

namespace seed::app {

/// Leaves outputs, summary and annotations with the CI host, where there is one to leave them with.
void publish(const World& world, ci::Report report);

/// Something that people should see without reading the log: an annotation, where the host has
/// them.
void tell(const World& world, ci::Level level, const std::string& message);

/// What the command was asked for, onto standard output.
void print_result(const World& world, const std::string& text);

}  // namespace seed::app
