#include "trust/attachment.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"
#include "sigstore/bundle.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/rfc3339.hpp"
#include "sigstore/verify.hpp"
#include "trust/provenance.hpp"

namespace seed::trust {
namespace {

constexpr std::string_view kEmpty = "{}";

void read_back(oci::Repository& repository,
               const Digest& subject,
               const oci::Descriptor& attached,
               const oci::Descriptor& layer,
               std::string_view bundle) {
  std::string bytes;
  repository.get_blob(layer, [&](ByteView chunk) { bytes += text_of(chunk); });
  if (bytes != bundle) {
    throw IntegrityError(fmt::format(
        "{} gives other bytes for the bundle {}", repository.name(), layer.digest.to_string()));
  }
  const oci::ReferrerList list = repository.list_referrers(subject);
  const bool listed = std::ranges::any_of(
      list.entries, [&](const oci::Descriptor& entry) { return entry.digest == attached.digest; });
  if (!listed) {
    throw IntegrityError(fmt::format("{} took the attestation {} and does not list it ({})",
                                     repository.name(),
                                     attached.digest.to_string(),
                                     list.source),
                         "run again; a clean-up job may have taken it out");
  }
}

}  // namespace

oci::Manifest bundle_manifest(std::string_view bundle,
                              const oci::Descriptor& subject,
                              Time created) {
  const sigstore::Bundle parsed = sigstore::parse_bundle(bundle);
  if (parsed.version != sigstore::BundleVersion::v0_3) {
    throw FormatError("the bundle is of another version than 0.3, which is what others look for");
  }
  oci::Manifest manifest{
      .config = oci::describe(oci::kEmptyType, kEmpty),
      .layers = {oci::describe(sigstore::kBundleMediaType, bundle)},
      .artifact_type = std::string(sigstore::kBundleMediaType),
      .subject = oci::describe(subject.media_type, ""),
      .annotations = {{std::string(kCreatedAnnotation), sigstore::to_rfc3339(created)}}};
  manifest.subject->digest = subject.digest;
  manifest.subject->size_bytes = subject.size_bytes;
  const auto* envelope = std::get_if<sigstore::DsseEnvelope>(&parsed.content);
  manifest.annotations[std::string(kBundleContentAnnotation)] =
      envelope != nullptr ? "dsse-envelope" : "message-signature";
  if (envelope != nullptr) {
    manifest.annotations[std::string(kBundlePredicateAnnotation)] =
        sigstore::parse_statement(envelope->payload).predicate_type;
  }
  return manifest;
}

oci::Descriptor attach_bundle(oci::Repository& repository,
                              const Digest& subject,
                              std::string_view bundle,
                              Time created) {
  const auto there = repository.head_manifest(subject);
  if (!there) {
    throw UsageError(
        fmt::format("{} has no {} to attach to", repository.name(), subject.to_string()),
        "push it first");
  }
  const oci::Manifest manifest = bundle_manifest(bundle, *there, created);
  repository.put_blob(manifest.config, kEmpty);
  repository.put_blob(manifest.layers.front(), bundle);
  oci::Descriptor attached = repository.put_referrer(manifest);
  read_back(repository, subject, attached, manifest.layers.front(), bundle);
  return attached;
}

}  // namespace seed::trust
