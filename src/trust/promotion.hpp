#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "oci/repository.hpp"
#include "trust/copy.hpp"
#include "trust/decide.hpp"
#include "trust/evidence.hpp"

namespace seed::trust {

/// What is to be promoted, and where to.
struct PromotionOrder {
  oci::Repository& from;
  oci::Repository& to;
  Digest artifact;
  std::vector<std::string> tags;
  CopyOptions copy;
  Time now;  ///< when bundles are said to be attached
  /// Called with the evidence in its place and before any tag: the last chance to leave something
  /// with the artifact, or to say no.
  std::function<void()> before_tags;
};

struct PromotedTag {
  std::string tag;
  std::optional<Digest> before;  ///< what it named
};

struct Promotion {
  CopyReceipt copied;
  std::size_t attached = 0;  ///< bundles that were elsewhere
  std::vector<PromotedTag> tags;
};

/// The artifacts that have to have a quorum for `artifact` to be promoted: itself, or for an index
/// the images in it. Throws UsageError where it is not there.
std::vector<Digest> artifacts_below(oci::Repository& repository, const Digest& artifact);

/// Copies the artifact with its evidence, decides anew from what the destination has, and writes
/// the tags last, each read back. Killed at any moment it can be run again; two that run at once do
/// the same. Throws IntegrityError where an approval is missing, or the destination does not show
/// what was put there.
Promotion promote(std::span<const Approval> approvals,
                  const Evidence& evidence,
                  const QuorumPolicy& policy,
                  const sigstore::TrustedRoot& root,
                  const PromotionOrder& order);

}  // namespace seed::trust
