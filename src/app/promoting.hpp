#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/project.hpp"
#include "app/world.hpp"
#include "report/promotion.hpp"
#include "sigstore/trusted_root.hpp"
#include "trust/evidence.hpp"

namespace seed::app {

/// A promotion under way: what is asked, where it is looked for, and what was found.
struct PromoteJob {
  const World& world;
  const Options& options;
  trust::QuorumPolicy policy;
  sigstore::TrustedRoot root;
  OpenRepository source;
  std::optional<OpenRepository> destination;
  std::vector<OpenRepository> others;  ///< of the builders, and those named
  Digest artifact;
  std::vector<std::string> tags;
  std::vector<trust::Question> questions;
  trust::Evidence evidence{policy, root};
  std::vector<trust::Decision> decisions;
  std::vector<trust::Discovery> files;        ///< bundles that were given
  std::map<Digest, oci::Repository*> rivals;  ///< other artifacts under these tags, and where
};

/// Asks every place until the deadline; `decisions` is filled in.
void gather(PromoteJob& job);

/// What conflicts there are, with the paths in which they differ.
std::vector<report::ConflictDetail> explain_conflicts(const PromoteJob& job);

/// What is to be told of the job as it stands.
report::PromotionRecord record_of(const PromoteJob& job);

}  // namespace seed::app
