#include "trust/verification_summary.hpp"

#include <set>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "oci/json.hpp"
#include "sigstore/rfc3339.hpp"
#include "trust/provenance.hpp"

namespace seed::trust {

std::string verification_summary(std::span<const Approval> approvals,
                                 const Digest& artifact,
                                 const QuorumPolicy& policy,
                                 const SummaryFacts& facts) {
  using nlohmann::json;
  std::set<Digest> artifacts{artifact};
  std::set<Digest> bundles;
  for (const Approval& approval : approvals) {
    artifacts.insert(approval.artifact());
    for (const CountedBuilder& builder : approval.tally().counted) {
      bundles.insert(builder.bundles.begin(), builder.bundles.end());
    }
  }
  json subjects = json::array();
  for (const Digest& one : artifacts) {
    subjects.push_back({{"name", facts.resource}, {"digest", {{"sha256", one.hex()}}}});
  }
  json inputs = json::array();
  for (const Digest& bundle : bundles) {
    inputs.push_back({{"digest", {{"sha256", bundle.hex()}}}});
  }
  // The builds' own levels are the builders' to claim; what was evaluated here is how many agree.
  // SLSA_BUILD_LEVEL_UNEVALUATED would say the first half, but slsa-verifier knows no such level.
  const json levels = json::array(
      {fmt::format("NIX_SEED_QUORUM_{}_OF_{}", policy.quorum(), policy.builders().size())});
  const json predicate{
      {"verifier",
       {{"id",
         "https://github.com/0compute/nix-seed/blob/main/docs/quorum.md#verification-summary"},
        {"version", {{"nix-seed", facts.version}}}}},
      {"timeVerified", sigstore::to_rfc3339(facts.time)},
      {"resourceUri", facts.resource + "@" + artifact.to_string()},
      {"policy", {{"digest", {{"sha256", policy.digest().hex()}}}}},
      {"inputAttestations", inputs},
      {"verificationResult", "PASSED"},
      {"verifiedLevels", levels},
      {"slsaVersion", "1.0"}};
  return oci::to_canonical_json({{"_type", kStatementType},
                                 {"subject", subjects},
                                 {"predicateType", kSummaryType},
                                 {"predicate", predicate}});
}

}  // namespace seed::trust
