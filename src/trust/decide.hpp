#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "trust/builders.hpp"
#include "trust/discovery.hpp"
#include "trust/policy.hpp"

namespace seed::trust {

/// What an attestation says its artifact was made from: two that agree in this and not in the bytes
/// are a conflict.
struct Revision {
  std::string commit;
  std::string build_type;
  std::string system;

  auto operator<=>(const Revision&) const = default;
};

/// A candidate after verification: a builder's word about an artifact, or the reason why it is
/// none. Only examine() makes one.
class Attestation {
 public:
  const Digest& artifact() const { return artifact_; }

  const Digest& bundle() const { return bundle_; }

  const std::string& from() const { return from_; }

  /// Who said it; empty where it does not count.
  const std::string& builder() const { return builder_; }

  const std::string& why() const { return why_; }  ///< it does not count

  const Accepted* accepted() const { return accepted_ ? &*accepted_ : nullptr; }

  const std::optional<Revision>& revision() const { return revision_; }

  const std::optional<Digest>& closure() const { return closure_; }

 private:
  Attestation(const Digest& artifact, const Candidate& candidate)
      : artifact_(artifact), bundle_(candidate.digest), from_(candidate.from) {}
  friend class Examiner;

  Digest artifact_;
  Digest bundle_;
  std::string from_;
  std::string builder_;
  std::string why_;
  std::optional<Accepted> accepted_;
  std::optional<Revision> revision_;
  std::optional<Digest> closure_;
};

/// Verifies a candidate in full as a builder's word about `artifact`. Pure.
Attestation examine(const Candidate& candidate,
                    const QuorumPolicy& policy,
                    const sigstore::TrustedRoot& root,
                    const Digest& artifact,
                    const Expected& expected = {});

/// All of a search, in parallel, in its order.
std::vector<Attestation> examine(const Discovery& discovery,
                                 const QuorumPolicy& policy,
                                 const sigstore::TrustedRoot& root,
                                 const Digest& artifact,
                                 const Expected& expected = {});

/// What is to be decided.
struct Question {
  Digest artifact;
  std::optional<Time> not_before;  ///< what was proven to be signed earlier does not count
};

struct CountedBuilder {
  std::string name;
  std::string signer;                  ///< identity or key
  std::vector<Digest> bundles;         ///< all that say so, sorted
  std::vector<std::string> operators;  ///< of the logs that have them, sorted
  std::optional<Time> time;            ///< the latest one proven

  bool operator==(const CountedBuilder&) const = default;
};

struct MissingBuilder {
  std::string name;
  std::string why;

  bool operator==(const MissingBuilder&) const = default;
};

struct RejectedBundle {
  Digest bundle;
  std::string from;
  std::string builder;  ///< whose word it is; empty where it is nobody's
  std::string why;

  bool operator==(const RejectedBundle&) const = default;
};

/// A builder that says another thing of the same source.
struct Conflict {
  std::string builder;
  Revision revision;
  Digest artifact;  ///< asked about
  Digest other;     ///< that builder's
  std::optional<Digest> closure;
  std::optional<Digest> other_closure;

  /// The store paths are the same, and only packed in another way.
  bool same_closure() const { return closure && closure == other_closure; }

  bool operator==(const Conflict&) const = default;
};

/// Everything that was looked at. Sorted: the same attestations in any order give the same.
struct Tally {
  std::vector<CountedBuilder> counted;
  std::vector<MissingBuilder> missing;
  std::vector<RejectedBundle> rejected;
  std::vector<Conflict> conflicts;

  bool operator==(const Tally&) const = default;
};

/// Leave to promote `artifact`. Only decide() gives it.
class Approval {
 public:
  const Digest& artifact() const { return artifact_; }

  const Tally& tally() const { return tally_; }

 private:
  Approval(const Digest& artifact, Tally tally) : artifact_(artifact), tally_(std::move(tally)) {}
  friend class Decider;

  Digest artifact_;
  Tally tally_;
};

struct QuorumRefusal {
  Digest artifact;
  Tally tally;
  std::vector<std::string> reasons;  ///< all of them
};

using Decision = std::variant<Approval, QuorumRefusal>;

/// Pure: the same attestations, in whatever order, give the same decision. A builder counts where
/// it attests the artifact in enough logs, once, however often it says so, and does not say another
/// thing of the same source.
Decision decide(const QuorumPolicy& policy,
                const Question& question,
                std::span<const Attestation> attestations);

const Tally& tally_of(const Decision& decision);

}  // namespace seed::trust
