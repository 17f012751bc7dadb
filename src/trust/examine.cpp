#include <algorithm>

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "os/parallel.hpp"
#include "sigstore/bundle.hpp"
#include "trust/decide.hpp"

namespace seed::trust {

/// The only maker of attestations.
class Examiner {
 public:
  Examiner(const QuorumPolicy& policy, const sigstore::TrustedRoot& root, const Expected& expected)
      : policy_(policy), root_(root), expected_(expected), keyless_(policy.keyless()) {}

  Attestation examine(const Candidate& candidate, const Digest& artifact) const {
    Attestation attestation(artifact, candidate);
    try {
      if (const auto hint = key_hint(candidate)) {
        try_keys(candidate, *hint, attestation);
      } else {
        try_identities(candidate, attestation);
      }
    } catch (const Error& error) {
      attestation.why_ = error.message();
    }
    return attestation;
  }

 private:
  /// What names the key of a bundle that has one instead of a certificate.
  static std::optional<std::string> key_hint(const Candidate& candidate) {
    const sigstore::Bundle bundle = sigstore::parse_bundle(candidate.bytes);
    const auto* hint = std::get_if<sigstore::PublicKeyHint>(&bundle.material);
    return hint == nullptr ? std::optional<std::string>{} : std::optional(hint->hint);
  }

  void try_identities(const Candidate& candidate, Attestation& attestation) const {
    if (keyless_.identities.empty()) {
      attestation.why_ = "it has a certificate, and every builder signs with a key";
      return;
    }
    Judgement judgement =
        assess(candidate.bytes, root_, attestation.artifact_, keyless_, expected_);
    if (const auto* refusal = std::get_if<Refusal>(&judgement)) {
      attestation.why_ = refusal->why;
      return;
    }
    Accepted& accepted = std::get<Accepted>(judgement);
    const KnownBuilder* builder =
        accepted.identity() ? policy_.builder_of(*accepted.identity()) : nullptr;
    if (builder == nullptr) {
      attestation.why_ = "it is signed by none of the builders";
      return;
    }
    take(*builder, std::move(accepted), attestation);
  }

  /// The hint is a hint: it says which key to try first. A refusal by the key that it names says
  /// more than those by the others.
  void try_keys(const Candidate& candidate,
                const std::string& hint,
                Attestation& attestation) const {
    attestation.why_ = fmt::format("its key '{}' is none of the builders'", printable(hint, 60));
    std::vector<const KnownBuilder*> order;
    for (const KnownBuilder& builder : policy_.builders()) {
      if (builder.signs_with_key()) {
        const Digest id = std::get<sigstore::PublicKey>(builder.who).id();
        const bool named = hint == to_base64(id.raw()) || hint == id.hex();
        order.insert(named ? order.begin() : order.end(), &builder);
        if (named) {
          order.resize(1);
          break;
        }
      }
    }
    for (const KnownBuilder* builder : order) {
      Judgement judgement = assess(
          candidate.bytes, root_, attestation.artifact_, policy_.for_key(*builder), expected_);
      if (auto* accepted = std::get_if<Accepted>(&judgement)) {
        take(*builder, std::move(*accepted), attestation);
        return;
      }
      if (order.size() == 1) {
        attestation.why_ = std::get<Refusal>(judgement).why;
      }
    }
  }

  static void take(const KnownBuilder& builder, Accepted accepted, Attestation& attestation) {
    attestation.builder_ = builder.name;
    attestation.why_.clear();
    const auto& statement = accepted.verified().statement();
    if (statement) {
      const Provenance provenance = read_provenance(statement->predicate);
      if (!provenance.commit.empty()) {
        attestation.revision_ =
            Revision{provenance.commit, provenance.build_type, provenance.system};
      }
      attestation.closure_ = closure_of(*statement);
    }
    attestation.accepted_ = std::move(accepted);
  }

  static std::optional<Digest> closure_of(const sigstore::Statement& statement) {
    for (const sigstore::Subject& subject : statement.subjects) {
      const auto digest = subject.digests.find("sha256");
      if (subject.name == "closure" && digest != subject.digests.end()) {
        return Digest::from_hex(digest->second);
      }
    }
    return std::nullopt;
  }

  const QuorumPolicy& policy_;
  const sigstore::TrustedRoot& root_;
  const Expected& expected_;
  Policy keyless_;
};

Attestation examine(const Candidate& candidate,
                    const QuorumPolicy& policy,
                    const sigstore::TrustedRoot& root,
                    const Digest& artifact,
                    const Expected& expected) {
  return Examiner(policy, root, expected).examine(candidate, artifact);
}

std::vector<Attestation> examine(const Discovery& discovery,
                                 const QuorumPolicy& policy,
                                 const sigstore::TrustedRoot& root,
                                 const Digest& artifact,
                                 const Expected& expected) {
  constexpr unsigned kThreads = 8;
  const Examiner examiner(policy, root, expected);
  std::vector<std::optional<Attestation>> slots(discovery.candidates.size());
  os::for_each_index(slots.size(), kThreads, [&](std::size_t i) {
    slots[i] = examiner.examine(discovery.candidates[i], artifact);
  });
  std::vector<Attestation> attestations;
  attestations.reserve(slots.size());
  for (auto& slot : slots) {
    attestations.push_back(std::move(*slot));
  }
  return attestations;
}

}  // namespace seed::trust
