#pragma once

#include <string>
#include <vector>

#include "report/record.hpp"

namespace seed::report {

/// mermaid refuses more than 50,000 characters.
inline constexpr std::size_t kMaxChartBytes = 45'000;

/// A mermaid gantt chart: steps one after the other and, where times are known, the derivations
/// that were built meanwhile. Where that is too much, derivations below one second are left out,
/// then below five, then all but the longest, and a line below the chart says how many. Empty
/// for a single step.
std::string gantt(const std::vector<Timing>& timings,
                  const std::vector<BuiltDerivation>& derivations = {});

/// hello-1.0 of /nix/store/…-hello-1.0.drv; other text as it is.
std::string derivation_name(const std::string& path);

}  // namespace seed::report
