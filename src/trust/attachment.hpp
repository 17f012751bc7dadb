#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "oci/repository.hpp"

namespace seed::trust {

/// The two kinds of content that a bundle can have, as dev.sigstore.bundle.content names them.
inline constexpr std::string_view kBundleContentAnnotation = "dev.sigstore.bundle.content";
inline constexpr std::string_view kBundlePredicateAnnotation = "dev.sigstore.bundle.predicateType";
inline constexpr std::string_view kCreatedAnnotation = "org.opencontainers.image.created";

/// The artifact manifest of a bundle (cosign's BUNDLE_SPEC.md): what it says of itself is for
/// display, and nobody should believe it. `created` is a parameter, so that the same attachment has
/// the same digest whoever makes it. Throws FormatError for what is no bundle.
oci::Manifest bundle_manifest(std::string_view bundle,
                              const oci::Descriptor& subject,
                              Time created);

/// Attaches a bundle to what `subject` names in `repository`, and reads it back from there: bytes
/// and list. Any number of writers may attach to one subject at once; attaching twice is attaching
/// once. Returns the artifact manifest's descriptor. Throws UsageError where the subject is not
/// there, IntegrityError where what is read is not what was written.
oci::Descriptor attach_bundle(oci::Repository& repository,
                              const Digest& subject,
                              std::string_view bundle,
                              Time created);

}  // namespace seed::trust
