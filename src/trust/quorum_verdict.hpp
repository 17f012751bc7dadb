#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trust/builders.hpp"
#include "trust/decide.hpp"
#include "trust/discovery.hpp"
#include "trust/weigh.hpp"

namespace seed::trust {

/// Whom a user believes of an artifact: one word of several people, or enough builders that agree.
using AnyPolicy = std::variant<Policy, QuorumPolicy>;

/// A file of either kind: the one with 'builders' asks for a quorum of them. Throws FormatError or
/// UsageError.
AnyPolicy parse_any_policy(std::string_view json);

/// What a search for a quorum about one artifact came to.
struct QuorumVerdict {
  Standing standing;
  std::vector<Attestation> attestations;  ///< in the order of the search
  Decision decision;
};

/// Verifies every candidate in full and counts the builders that agree. Less than a quorum is
/// refused where every place answered, and unknown where one did not: what it has may be what is
/// missing. Pure.
QuorumVerdict weigh(const Discovery& discovery,
                    const sigstore::TrustedRoot& root,
                    const Digest& artifact,
                    const QuorumPolicy& policy,
                    const Expected& expected);

/// Each attestation: the checks that held with their evidence, and for whom it counts or why not.
std::string explain(const QuorumVerdict& verdict);

/// "2 of 3 builders agree, 2 have to: alice, bob", for one line.
std::string describe(const Tally& tally, const QuorumPolicy& policy);

/// One line for each builder that is missing, and for each attestation that does not count.
std::string refusals_of(const Tally& tally);

}  // namespace seed::trust
