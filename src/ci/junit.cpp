#include "ci/junit.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "ci/escape.hpp"

namespace seed::ci {

std::string junit(std::string_view suite, std::span<const Check> checks) {
  const auto failed =
      std::ranges::count_if(checks, [](const Check& check) { return !check.failure.empty(); });
  double seconds = 0;
  std::string cases;
  for (const Check& check : checks) {
    seconds += check.seconds;
    cases += fmt::format(R"(    <testcase classname="{}" name="{}" time="{:.3f}")",
                         xml(suite),
                         xml(check.name),
                         check.seconds);
    cases += check.failure.empty() ? "/>\n"
                                   : fmt::format(
                                         ">\n      <failure message=\"{}\"/>\n"
                                         "    </testcase>\n",
                                         xml(check.failure));
  }
  return fmt::format(R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="{}" tests="{}" failures="{}" time="{:.3f}">
{}  </testsuite>
</testsuites>
)",
                     xml(suite),
                     checks.size(),
                     failed,
                     seconds,
                     cases);
}

}  // namespace seed::ci
