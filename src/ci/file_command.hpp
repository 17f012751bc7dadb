#pragma once

#include <span>
#include <string>

#include "ci/host.hpp"

namespace seed::ci {

/// Outputs in the grammar of GITHUB_OUTPUT (actions/runner, FileCommandManager): each as a heredoc
/// that ends at `delimiter`. Throws FormatError for a name that the grammar can't hold and for a
/// value that has the delimiter in it.
std::string file_commands(std::span<const Output> outputs, const std::string& delimiter);

}  // namespace seed::ci
