#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "trust/decide.hpp"

namespace seed::trust {

inline constexpr std::string_view kSummaryType = "https://slsa.dev/verification_summary/v1";

/// Who says so, where and when.
struct SummaryFacts {
  std::string resource;  ///< REPOSITORY of the promoted artifact
  std::string version;   ///< of this program
  Time time;
};

/// in-toto Statement v1 with an SLSA verification summary: that `artifact` was approved by this
/// policy, from these bundles. Canonical JSON. Takes approvals alone: there is no summary of less.
std::string verification_summary(std::span<const Approval> approvals,
                                 const Digest& artifact,
                                 const QuorumPolicy& policy,
                                 const SummaryFacts& facts);

}  // namespace seed::trust
