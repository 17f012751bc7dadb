#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nix/closure_diff.hpp"
#include "report/record.hpp"
#include "trust/decide.hpp"

namespace seed::report {

/// The outcome for one image: of an index there are several.
struct DecidedImage {
  std::string digest;
  bool approved = false;
  trust::Tally tally;
  std::vector<std::string> reasons;  ///< of a refusal
};

/// Two digests of one source, path by path as far as their closures could be read.
struct ConflictDetail {
  trust::Conflict conflict;
  std::vector<nix::ClosureDifference> paths;  ///< the first ones
  std::size_t differing = 0;
  std::string unread;  ///< why there are none
};

struct TagMove {
  std::string tag;
  std::string before;  ///< digest; empty: it is new
};

/// Everything a promotion has to tell.
struct PromotionRecord {
  bool promoted = false;
  bool dry = false;      ///< only asked
  std::string artifact;  ///< REPOSITORY@sha256:… as it was asked for
  std::string digest;
  std::string destination;  ///< repository
  std::string trust;        ///< level
  unsigned quorum = 0;
  std::size_t builders = 0;
  unsigned log_quorum = 0;
  std::vector<DecidedImage> images;
  std::vector<ConflictDetail> conflicts;
  std::vector<std::pair<std::string, std::string>> unasked;  ///< place, why
  std::vector<std::string> dependences;
  std::vector<TagMove> tags;
  std::size_t referrers = 0;  ///< copied or attached
  std::uint64_t bytes_sent = 0;
  std::vector<std::string> left;
  std::string summary_attestation;  ///< digest of the bundle; empty: none was made
  double waited = 0;                ///< seconds
  std::vector<Timing> timings;
  RunContext run;

  std::string image() const { return promoted ? destination + "@" + digest : ""; }
};

std::string to_markdown(const PromotionRecord& record);
/// docs/promotion.schema.json says which members there are.
std::string to_json(const PromotionRecord& record);
std::string to_text(const PromotionRecord& record);

}  // namespace seed::report
