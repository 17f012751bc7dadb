#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/promotion.hpp"
#include "trust/discovery.hpp"
#include "trust/weigh.hpp"

namespace seed::report {

/// What verifying by quorum came to: for the artifact, or for each image of an index.
struct VerdictRecord {
  std::string digest;
  trust::Standing standing = trust::Standing::unattested;
  std::string trust;  ///< level
  unsigned quorum = 0;
  std::size_t builders = 0;
  unsigned log_quorum = 0;
  std::vector<DecidedImage> images;
  std::vector<trust::Looked> looked;
  std::vector<trust::Ignored> ignored;
};

/// docs/verify.schema.json says which members there are.
std::string to_json(const VerdictRecord& record);
/// A line for each image, builder, and bundle that does not count.
std::string to_text(const VerdictRecord& record);

}  // namespace seed::report
