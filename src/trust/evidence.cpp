#include "trust/evidence.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"

namespace seed::trust {

Evidence::Evidence(const QuorumPolicy& policy,
                   const sigstore::TrustedRoot& root,
                   const Expected& expected)
    : policy_(policy), root_(root), expected_(expected) {}

/// One request: the list of the API, or the digest of the list under the fallback tag.
Evidence::Seen Evidence::ask(oci::Repository& repository, const Digest& artifact) const {
  const auto before = seen_.find({repository.name(), artifact});
  if (before != seen_.end() && !before->second.tag.empty()) {
    const auto head = repository.head_manifest(before->second.tag);
    return {head ? head->digest.to_string() : "", before->second.tag};
  }
  const oci::ReferrerList list = repository.list_referrers(artifact);
  if (list.source == "referrers tag") {
    const std::string tag = "sha256-" + artifact.hex();
    const auto head = repository.head_manifest(tag);
    return {head ? head->digest.to_string() : "", tag};
  }
  Seen seen;
  for (const oci::Descriptor& entry : list.entries) {
    seen.list += entry.digest.to_string() + "\n";
  }
  return seen;
}

void Evidence::look(oci::Repository& repository, const Digest& artifact) {
  try {
    seen_[{repository.name(), artifact}] = ask(repository, artifact);
  } catch (const Error&) {
    seen_.erase({repository.name(), artifact});  // look_in() says what is wrong
  }
  Discovery discovery;
  look_in(repository, artifact, discovery);
  failures_.erase(repository.name());
  add(discovery, artifact);
}

void Evidence::look_again(oci::Repository& repository, const Digest& artifact) {
  const auto before = seen_.find({repository.name(), artifact});
  if (before != seen_.end()) {
    try {
      const Seen now = ask(repository, artifact);
      if (now.list == before->second.list) {
        failures_.erase(repository.name());
        return;
      }
    } catch (const Error& error) {
      failures_[repository.name()] = error.message();
      return;
    }
  }
  look(repository, artifact);
}

void Evidence::add(const Discovery& discovery, const Digest& artifact) {
  for (const Looked& looked : discovery.looked) {
    if (!looked.failure.empty()) {
      failures_[looked.where] = looked.failure;
    }
  }
  Discovery fresh;
  for (const Candidate& candidate : discovery.candidates) {
    if (examined_.emplace(artifact, candidate.digest).second) {
      bundles_.emplace(candidate.digest, candidate);
      fresh.candidates.push_back(candidate);
    }
  }
  for (Attestation& attestation : examine(fresh, policy_, root_, artifact, expected_)) {
    attestations_.push_back(std::move(attestation));
  }
}

Decision Evidence::decide(const Question& question) const {
  return trust::decide(policy_, question, attestations_);
}

bool is_settled(const QuorumPolicy& policy, const Decision& decision) {
  const auto* refusal = std::get_if<QuorumRefusal>(&decision);
  if (refusal == nullptr) {
    return true;
  }
  std::set<std::string> lost;
  for (const Conflict& conflict : refusal->tally.conflicts) {
    const auto counted =
        std::ranges::find(refusal->tally.counted, conflict.builder, &CountedBuilder::name);
    if (!conflict.same_closure() && counted == refusal->tally.counted.end()) {
      lost.insert(conflict.builder);
    }
  }
  return policy.builders().size() - lost.size() < policy.quorum();
}

namespace {

std::vector<Decision> decide_all(const Evidence& evidence, std::span<const Question> questions) {
  std::vector<Decision> decisions;
  for (const Question& question : questions) {
    decisions.push_back(evidence.decide(question));
  }
  return decisions;
}

/// Nothing is left to wait for: all have their quorum, or one can't get it any more.
bool is_over(const QuorumPolicy& policy, const std::vector<Decision>& decisions) {
  const auto approved = [](const Decision& one) { return std::holds_alternative<Approval>(one); };
  return std::ranges::all_of(decisions, approved) ||
         std::ranges::any_of(decisions, [&](const Decision& one) {
           return !approved(one) && is_settled(policy, one);
         });
}

}  // namespace

std::vector<Decision> wait_for_quorum(Evidence& evidence,
                                      const QuorumPolicy& policy,
                                      std::span<const Question> questions,
                                      std::span<const Place> places,
                                      Clock& clock,
                                      const Waiting& waiting) {
  const Time end = clock.now() + waiting.deadline;
  for (const Place& place : places) {
    evidence.look(*place.repository, place.artifact);
  }
  std::vector<Decision> decisions = decide_all(evidence, questions);
  std::chrono::milliseconds pause = waiting.first;
  for (std::size_t turn = 0; !is_over(policy, decisions) && !places.empty(); ++turn) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - clock.now());
    if (left.count() <= 0) {
      break;
    }
    const std::chrono::milliseconds now = std::min(pause, left);
    if (waiting.before_pause) {
      waiting.before_pause(now);
    }
    clock.sleep(now);
    pause = std::min(pause * 3 / 2, waiting.cap);
    if (now == left) {  // the last look is at everything
      for (const Place& place : places) {
        evidence.look_again(*place.repository, place.artifact);
      }
    } else {
      const Place& place = places[turn % places.size()];
      evidence.look_again(*place.repository, place.artifact);
    }
    decisions = decide_all(evidence, questions);
  }
  return decisions;
}

}  // namespace seed::trust
