#include "trust/quorum_verdict.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "oci/json.hpp"

namespace seed::trust {
namespace {

constexpr std::uint64_t kMaxPolicyBytes = 4 << 20;

Standing standing_of(const Decision& decision, const Discovery& discovery) {
  if (std::holds_alternative<Approval>(decision)) {
    return Standing::proven;
  }
  if (!discovery.complete()) {
    return Standing::unknown;
  }
  const bool claimed = std::ranges::any_of(discovery.ignored, &Ignored::claims);
  return discovery.candidates.empty() && !claimed ? Standing::unattested : Standing::refused;
}

const RejectedBundle* rejection_of(const Tally& tally, const Attestation& attestation) {
  const auto found =
      std::ranges::find(tally.rejected, attestation.bundle(), &RejectedBundle::bundle);
  return found == tally.rejected.end() ? nullptr : &*found;
}

}  // namespace

AnyPolicy parse_any_policy(std::string_view text) {
  const nlohmann::json object = oci::parse_json(text, kMaxPolicyBytes, "policy");
  if (object.is_object() && oci::find_member(object, "builders") != nullptr) {
    return QuorumPolicy::parse(text);
  }
  return parse_policy(text);
}

QuorumVerdict weigh(const Discovery& discovery,
                    const sigstore::TrustedRoot& root,
                    const Digest& artifact,
                    const QuorumPolicy& policy,
                    const Expected& expected) {
  std::vector<Attestation> attestations = examine(discovery, policy, root, artifact, expected);
  Decision decision = decide(policy, {.artifact = artifact, .not_before = {}}, attestations);
  const Standing standing = standing_of(decision, discovery);
  return {.standing = standing,
          .attestations = std::move(attestations),
          .decision = std::move(decision)};
}

std::string explain(const QuorumVerdict& verdict) {
  std::string text;
  for (const Attestation& attestation : verdict.attestations) {
    text += fmt::format(
        "bundle {} from {}\n", attestation.bundle().to_string(), printable(attestation.from()));
    if (attestation.accepted() != nullptr) {
      text += checks_that_held(*attestation.accepted());
    }
    const RejectedBundle* rejected = rejection_of(tally_of(verdict.decision), attestation);
    text += rejected == nullptr ? fmt::format("  counts for {}\n", attestation.builder())
                                : fmt::format("  does not count: {}\n", printable(rejected->why));
  }
  return text;
}

std::string describe(const Tally& tally, const QuorumPolicy& policy) {
  std::string names;
  for (const CountedBuilder& one : tally.counted) {
    names += (names.empty() ? ": " : ", ") + one.name;
  }
  return fmt::format("{} of {} builders agree, {} have to{}",
                     tally.counted.size(),
                     policy.builders().size(),
                     policy.quorum(),
                     names);
}

std::string refusals_of(const Tally& tally) {
  std::string text;
  for (const MissingBuilder& missing : tally.missing) {
    text += fmt::format("\n  {}: {}", missing.name, printable(missing.why));
  }
  for (const RejectedBundle& rejected : tally.rejected) {
    text += fmt::format("\n  bundle {} from {} does not count: {}",
                        rejected.bundle.to_string(),
                        printable(rejected.from),
                        printable(rejected.why));
  }
  return text;
}

}  // namespace seed::trust
