#pragma once

#include <span>
#include <string>
#include <string_view>

#include "ci/host.hpp"

namespace seed::ci {

/// A JUnit report with one suite.
std::string junit(std::string_view suite, std::span<const Check> checks);

}  // namespace seed::ci
