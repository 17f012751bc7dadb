#include "trust/decide.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/core.h>

#include "base/text.hpp"

namespace seed::trust {
namespace {

/// The builder's certificate or key, for people.
std::string signer_of(const KnownBuilder& builder) {
  if (const auto* key = std::get_if<sigstore::PublicKey>(&builder.who)) {
    return "key " + key->id().to_string();
  }
  return builder.cfg.identity;
}

std::string in_words(const Revision& revision) {
  return fmt::format("commit {}{}",
                     printable(revision.commit, 60),
                     revision.system.empty() ? "" : " for " + printable(revision.system, 60));
}

}  // namespace

/// The only maker of approvals.
class Decider {
 public:
  Decider(const QuorumPolicy& policy,
          const Question& question,
          std::span<const Attestation> attestations)
      : policy_(policy), question_(question) {
    for (const Attestation& attestation : attestations) {
      take(attestation);
    }
  }

  Decision decide() {
    find_conflicts();
    for (const KnownBuilder& builder : policy_.builders()) {
      judge(builder);
    }
    sort();
    if (tally_.counted.size() >= policy_.quorum()) {
      return Approval(question_.artifact, std::move(tally_));
    }
    QuorumRefusal refusal{question_.artifact, std::move(tally_), {}};
    refusal.reasons = reasons(refusal.tally);
    return refusal;
  }

 private:
  /// What one builder says of this artifact, and of others.
  struct Word {
    std::map<Digest, const Attestation*> here;  ///< by bundle
    std::map<std::pair<Digest, Digest>, const Attestation*> elsewhere;
    std::set<std::string> stale;  ///< why what it says does not count
  };

  void take(const Attestation& attestation) {
    if (attestation.accepted() == nullptr) {
      reject(attestation, attestation.why());
      return;
    }
    if (policy_.builder(attestation.builder()) == nullptr) {
      reject(attestation, "it was examined for another policy");
      return;
    }
    Word& word = words_[attestation.builder()];
    if (attestation.artifact() != question_.artifact) {
      word.elsewhere.emplace(std::pair(attestation.artifact(), attestation.bundle()), &attestation);
      return;
    }
    if (question_.not_before && !is_fresh(attestation)) {
      word.stale.insert("its attestation is older than asked for, or of no proven time");
      reject(attestation, "it is older than asked for, or of no proven time");
      return;
    }
    word.here.emplace(attestation.bundle(), &attestation);
  }

  bool is_fresh(const Attestation& attestation) const {
    const std::vector<Time>& times = attestation.accepted()->verified().times();
    return !times.empty() && times.back() >= *question_.not_before;
  }

  void reject(const Attestation& attestation, const std::string& why) {
    tally_.rejected.push_back(
        {attestation.bundle(), attestation.from(), attestation.builder(), why});
  }

  /// Whoever built another artifact from a source that this one is said to be built from.
  void find_conflicts() {
    std::map<Revision, std::optional<Digest>> sources;
    for (const auto& [name, word] : words_) {
      for (const auto& [bundle, attestation] : word.here) {
        if (attestation->revision()) {
          auto& closure = sources[*attestation->revision()];
          closure = std::max(closure, attestation->closure());
        }
      }
    }
    for (const auto& [name, word] : words_) {
      for (const auto& [key, attestation] : word.elsewhere) {
        const auto source =
            attestation->revision() ? sources.find(*attestation->revision()) : sources.end();
        if (source == sources.end()) {
          reject(*attestation,
                 fmt::format("it is about {}, and nobody says of this artifact that it has the "
                             "same source",
                             attestation->artifact().to_string()));
          continue;
        }
        tally_.conflicts.push_back({name,
                                    source->first,
                                    question_.artifact,
                                    attestation->artifact(),
                                    source->second,
                                    attestation->closure()});
      }
    }
  }

  /// What makes the builder's word void: itself, not others, has to say of one source that it gives
  /// two different things. A builder that lies about the source of this artifact harms no other.
  const Conflict* contradiction(const std::string& name, const Word& word) const {
    const auto found = std::ranges::find_if(tally_.conflicts, [&](const Conflict& conflict) {
      return conflict.builder == name && !conflict.same_closure() &&
             (word.here.empty() || says(word, conflict.revision));
    });
    return found == tally_.conflicts.end() ? nullptr : &*found;
  }

  static bool says(const Word& word, const Revision& revision) {
    return std::ranges::any_of(
        word.here, [&](const auto& entry) { return entry.second->revision() == revision; });
  }

  void judge(const KnownBuilder& builder) {
    const auto found = words_.find(builder.name);
    if (found == words_.end()) {
      tally_.missing.push_back({builder.name, "there is no attestation of it"});
      return;
    }
    const Word& word = found->second;
    const Conflict* conflict = contradiction(builder.name, word);
    if (conflict != nullptr) {
      tally_.missing.push_back({builder.name,
                                fmt::format("it built {} from {}{}",
                                            conflict->other.to_string(),
                                            in_words(conflict->revision),
                                            word.here.empty() ? "" : ", and this artifact too")});
      for (const auto& [bundle, attestation] : word.here) {
        reject(*attestation, "its builder says another thing of the same source");
      }
      return;
    }
    if (word.here.empty()) {
      tally_.missing.push_back(
          {builder.name,
           word.stale.empty() ? "it attests other artifacts only" : *word.stale.begin()});
      return;
    }
    count(builder, word);
  }

  void count(const KnownBuilder& builder, const Word& word) {
    CountedBuilder counted{.name = builder.name, .signer = signer_of(builder)};
    std::set<std::string> operators;
    std::set<std::string> others;
    for (const auto& [bundle, attestation] : word.here) {
      counted.bundles.push_back(bundle);
      const sigstore::Verified& verified = attestation->accepted()->verified();
      for (const sigstore::LoggedIn& log : verified.logs()) {
        (policy_.is_log(log.log) ? operators : others)
            .insert(policy_.is_log(log.log) ? log.operator_name : log.log);
      }
      if (!verified.times().empty()) {
        counted.time = std::max(counted.time, std::optional(verified.times().back()));
      }
    }
    const unsigned needed = policy_.logs_needed(builder);
    if (operators.size() < needed) {
      const std::string why = fmt::format(
          "its attestation is in {} of the {} independent {} needed{}",
          operators.size(),
          needed,
          needed == 1 ? "log" : "logs",
          others.empty() ? "" : fmt::format("; 'rekor.logs' does not name {}", *others.begin()));
      tally_.missing.push_back({builder.name, why});
      for (const auto& [bundle, attestation] : word.here) {
        reject(*attestation, why);
      }
      return;
    }
    counted.operators.assign(operators.begin(), operators.end());
    tally_.counted.push_back(std::move(counted));
  }

  void sort() {
    std::ranges::sort(tally_.conflicts, {}, [](const Conflict& one) {
      return std::tuple(one.builder, one.revision, one.other);
    });
    const auto same = [](const Conflict& a, const Conflict& b) {
      return a.builder == b.builder && a.revision == b.revision && a.other == b.other;
    };
    tally_.conflicts.erase(std::unique(tally_.conflicts.begin(), tally_.conflicts.end(), same),
                           tally_.conflicts.end());
    const auto key = [](const RejectedBundle& one) {
      return std::tie(one.bundle, one.builder, one.why, one.from);
    };
    std::ranges::sort(tally_.rejected, {}, key);
    tally_.rejected.erase(std::unique(tally_.rejected.begin(), tally_.rejected.end()),
                          tally_.rejected.end());
  }

  std::vector<std::string> reasons(const Tally& tally) const {
    std::vector<std::string> reasons{fmt::format("{} of {} builders attest {}, and {} have to",
                                                 tally.counted.size(),
                                                 policy_.builders().size(),
                                                 question_.artifact.to_string(),
                                                 policy_.quorum())};
    for (const MissingBuilder& missing : tally.missing) {
      reasons.push_back(fmt::format("{}: {}", missing.name, missing.why));
    }
    return reasons;
  }

  const QuorumPolicy& policy_;
  const Question& question_;
  std::map<std::string, Word> words_;
  Tally tally_;
};

Decision decide(const QuorumPolicy& policy,
                const Question& question,
                std::span<const Attestation> attestations) {
  return Decider(policy, question, attestations).decide();
}

const Tally& tally_of(const Decision& decision) {
  const auto* approval = std::get_if<Approval>(&decision);
  return approval != nullptr ? approval->tally() : std::get<QuorumRefusal>(decision).tally;
}

}  // namespace seed::trust
