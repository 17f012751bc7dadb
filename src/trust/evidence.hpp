#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "oci/repository.hpp"
#include "trust/decide.hpp"

namespace seed::trust {

/// What has been found so far about some artifacts. A candidate is verified once, however often the
/// place it is in is asked.
class Evidence {
 public:
  /// All of them outlive it.
  Evidence(const QuorumPolicy& policy,
           const sigstore::TrustedRoot& root,
           const Expected& expected = {});

  /// Asks `repository` for all that refers to `artifact`.
  void look(oci::Repository& repository, const Digest& artifact);

  /// The same where a single cheap request says that there is something new.
  void look_again(oci::Repository& repository, const Digest& artifact);

  /// What was found elsewhere: files, APIs.
  void add(const Discovery& discovery, const Digest& artifact);

  Decision decide(const Question& question) const;

  const std::vector<Attestation>& attestations() const { return attestations_; }

  /// The bytes of what is counted, by digest.
  const std::map<Digest, Candidate>& bundles() const { return bundles_; }

  /// Places that could not be asked at their last turn, and why.
  const std::map<std::string, std::string>& failures() const { return failures_; }

 private:
  /// What a place said of an artifact when it was asked last.
  struct Seen {
    std::string list;
    std::string tag;  ///< of the list, where the registry keeps it under one; empty: an API does
  };

  Seen ask(oci::Repository& repository, const Digest& artifact) const;

  const QuorumPolicy& policy_;
  const sigstore::TrustedRoot& root_;
  Expected expected_;
  std::vector<Attestation> attestations_;
  std::set<std::pair<Digest, Digest>> examined_;  ///< artifact, bundle
  std::map<Digest, Candidate> bundles_;
  std::map<std::pair<std::string, Digest>, Seen> seen_;
  std::map<std::string, std::string> failures_;
};

/// An artifact to be asked for in a place.
struct Place {
  oci::Repository* repository;
  Digest artifact;
};

struct Waiting {
  std::chrono::seconds deadline{1800};
  std::chrono::milliseconds first{2'000};
  std::chrono::milliseconds cap{30'000};
  /// Told before each pause, with its length.
  std::function<void(std::chrono::milliseconds)> before_pause;
};

/// Whether no further attestation could help: too many builders have said another thing.
bool is_settled(const QuorumPolicy& policy, const Decision& decision);

/// Asks every place, and then again, one place after each pause, until each question has its
/// quorum, one is settled, or the deadline is over. The decisions are in the order of the
/// questions.
std::vector<Decision> wait_for_quorum(Evidence& evidence,
                                      const QuorumPolicy& policy,
                                      std::span<const Question> questions,
                                      std::span<const Place> places,
                                      Clock& clock,
                                      const Waiting& waiting);

}  // namespace seed::trust
