#pragma once

#include <string>
#include <vector>

#include "app/world.hpp"
#include "report/record.hpp"

namespace seed::app {

/// What the CI host says of the run; nothing of anything where there is none.
const ci::Facts& facts_of(const World& world);

/// The run, for links in its report; `source` is where the code is from as far as git knows.
report::RunContext context_of(const World& world, const std::string& source);

/// Folds the log of the steps that are no news where they go well.
OpenGroup groups_of(const World& world);

/// What later jobs are told should the run fail from here on.
void expect_outputs(const World& world, std::vector<ci::Output> outputs);

/// Leaves outputs, summary and annotations with the CI host, where there is one to leave them with.
void publish(const World& world, ci::Report report);

/// Something that people should see without reading the log: an annotation, where the host has
/// them.
void tell(const World& world, ci::Level level, const std::string& message);

/// What the command was asked for, onto standard output.
void print_result(const World& world, const std::string& text);

}  // namespace seed::app
