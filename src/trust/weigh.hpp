#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trust/discovery.hpp"
#include "trust/policy.hpp"

namespace seed::trust {

/// What became of one candidate. None of the two: it is about something else, and `aside` says
/// what.
struct Weighed {
  Digest bundle;
  std::string from;
  std::optional<Accepted> accepted;
  std::optional<Refusal> refusal;
  std::string aside;
};

/// What a search for proof of one artifact came to.
enum class Standing {
  proven,      ///< a bundle proves what the policy asks
  refused,     ///< there is proof of the kind asked for, and none of it holds
  unknown,     ///< no proof was found, and a place did not answer
  unattested,  ///< every place answered, and none had proof of the kind asked for
};

std::string_view to_string(Standing standing);

struct Weighing {
  Standing standing = Standing::unattested;
  std::vector<Weighed> candidates;  ///< in the order of the search

  /// The first that was accepted; nothing where none was.
  const Accepted* proof() const;
};

/// Judges every candidate. What says of itself that it is no proof of the kind asked for (another
/// artifact, predicate or build type) is put aside unverified: that neither proves nor refuses
/// anything. Bytes that claim to be a bundle and are none count as refused. Pure.
Weighing weigh(const Discovery& discovery,
               const sigstore::TrustedRoot& root,
               const Digest& artifact,
               const Policy& policy,
               const Expected& expected);

/// Each candidate in a line or more: the checks that held with their evidence, and what ended them.
std::string explain(const Weighing& weighing);

/// One line for each check that a bundle held, with its evidence.
std::string checks_that_held(const Accepted& accepted);

/// One line for each refusal.
std::string refusals_of(const Weighing& weighing, const Discovery& discovery);

/// Machine-readable: docs/verify.schema.json.
std::string to_json(const Weighing& weighing, const Discovery& discovery, const Digest& artifact);

/// "NAME (ISSUER), logged in LOG, at TIME": who vouches, for one line.
std::string describe(const Accepted& proof);

}  // namespace seed::trust
