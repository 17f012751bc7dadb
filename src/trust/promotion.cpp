#include "trust/promotion.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"
#include "trust/attachment.hpp"

namespace seed::trust {
namespace {

oci::RawManifest read(oci::Repository& repository, const Digest& artifact) {
  auto raw = repository.get_manifest(artifact);
  if (!raw) {
    throw UsageError(
        fmt::format("there is no {}@{}", repository.name(), artifact.to_string()),
        "name an artifact by the digest that a builder printed, where that builder pushed it");
  }
  return *std::move(raw);
}

/// Nothing is promoted on the word of an approval of something else.
void check_approved(std::span<const Approval> approvals, const std::vector<Digest>& artifacts) {
  for (const Digest& artifact : artifacts) {
    if (std::ranges::find(approvals, artifact, &Approval::artifact) == approvals.end()) {
      throw IntegrityError(fmt::format("nobody approved {}", artifact.to_string()));
    }
  }
}

/// Bundles that were found in files and other repositories go along, so that whoever reads the
/// destination alone sees the same evidence.
std::size_t attach_missing(std::span<const Approval> approvals,
                           const Evidence& evidence,
                           const PromotionOrder& order) {
  std::size_t attached = 0;
  for (const Approval& approval : approvals) {
    Discovery there;
    look_in(order.to, approval.artifact(), there);
    for (const CountedBuilder& builder : approval.tally().counted) {
      for (const Digest& bundle : builder.bundles) {
        if (std::ranges::find(there.candidates, bundle, &Candidate::digest) ==
            there.candidates.end()) {
          attach_bundle(
              order.to, approval.artifact(), evidence.bundles().at(bundle).bytes, order.now);
          ++attached;
        }
      }
    }
  }
  return attached;
}

/// The decision again, from the destination's evidence alone.
void check_destination(std::span<const Approval> approvals,
                       const QuorumPolicy& policy,
                       const sigstore::TrustedRoot& root,
                       const PromotionOrder& order) {
  Evidence evidence(policy, root);
  for (const Approval& approval : approvals) {
    evidence.look(order.to, approval.artifact());
    const Decision decision = evidence.decide({.artifact = approval.artifact()});
    if (const auto* refusal = std::get_if<QuorumRefusal>(&decision)) {
      throw IntegrityError(fmt::format("{} does not show the evidence that was put there: {}",
                                       order.to.name(),
                                       refusal->reasons.front()),
                           "no tag was written; run again, and look at what else writes there");
    }
  }
}

/// Copies everything and looks at it there. Where referrers are a list under a tag, whoever
/// promotes at the same time may write that list as it was before ours: what got lost is put there
/// again.
Promotion place(std::span<const Approval> approvals,
                const Evidence& evidence,
                const QuorumPolicy& policy,
                const sigstore::TrustedRoot& root,
                const PromotionOrder& order) {
  constexpr int kAttempts = 5;
  Promotion promotion;
  for (int attempt = 1;; ++attempt) {
    const CopyReceipt copied = copy_artifact(order.from, order.to, order.artifact, order.copy);
    const std::size_t attached = attach_missing(approvals, evidence, order);
    if (attempt == 1) {
      promotion.copied = copied;
      promotion.attached = attached;
    }
    // ---- from here on only what the destination itself says counts ----
    const auto there = order.to.head_manifest(order.artifact);
    if (!there || there->digest != order.artifact) {
      throw IntegrityError(fmt::format("{} does not have what was copied there", order.to.name()));
    }
    try {
      check_destination(approvals, policy, root, order);
      return promotion;
    } catch (const IntegrityError&) {
      if (attempt == kAttempts) {
        throw;
      }
    }
  }
}

PromotedTag write_tag(const PromotionOrder& order,
                      const oci::RawManifest& raw,
                      const std::string& tag) {
  PromotedTag written{.tag = tag};
  if (const auto before = order.to.head_manifest(tag)) {
    written.before = before->digest;
  }
  if (written.before != order.artifact) {
    while_doing(fmt::format("writing the tag {}", tag),
                [&] { order.to.put_manifest(raw.descriptor.media_type, raw.bytes, tag); });
  }
  const auto now = order.to.head_manifest(tag);
  if (!now || now->digest != order.artifact) {
    throw IntegrityError(
        fmt::format("the tag {} names {} right after {} was written",
                    tag,
                    now ? now->digest.to_string() : "nothing",
                    order.artifact.to_string()),
        "another promotion wrote it: run again when that has ended, or stop one of them");
  }
  return written;
}

}  // namespace

std::vector<Digest> artifacts_below(oci::Repository& repository, const Digest& artifact) {
  const oci::RawManifest raw = read(repository, artifact);
  if (raw.descriptor.media_type != oci::kIndexType &&
      raw.descriptor.media_type != oci::kDockerListType) {
    return {artifact};
  }
  std::vector<Digest> images;
  for (const oci::Descriptor& image : oci::parse_index(raw.bytes).manifests) {
    if (std::ranges::find(images, image.digest) == images.end()) {
      images.push_back(image.digest);
    }
  }
  if (images.empty()) {
    throw UsageError(
        fmt::format("{}@{} is an index of nothing", repository.name(), artifact.to_string()),
        "promote an image");
  }
  return images;
}

Promotion promote(std::span<const Approval> approvals,
                  const Evidence& evidence,
                  const QuorumPolicy& policy,
                  const sigstore::TrustedRoot& root,
                  const PromotionOrder& order) {
  check_approved(approvals, artifacts_below(order.from, order.artifact));
  const oci::RawManifest raw = read(order.from, order.artifact);
  Promotion promotion = place(approvals, evidence, policy, root, order);
  if (order.before_tags) {
    order.before_tags();
  }
  // ---- the evidence is in its place: a tag may show it ----
  for (const std::string& tag : order.tags) {
    promotion.tags.push_back(write_tag(order, raw, tag));
  }
  return promotion;
}

}  // namespace seed::trust
