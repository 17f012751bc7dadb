#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "image/plan.hpp"
#include "oci/types.hpp"
#include "os/process.hpp"

namespace seed::image {

/// Everything that one system's image is made of. The same parts give the same bytes: no time, host
/// or commit is among them.
struct ImageParts {
  std::string system;
  LayerPlan plan;                       ///< of the store layers
  std::vector<LayerBlob> store_layers;  ///< in the plan's order
  std::vector<LayerBlob> own_layers;    ///< the program and the image's own files, in this order
  std::vector<std::string> own_names;   ///< what a person calls them
  Digest closure;                       ///< closure digest
  os::Environment environment;
  std::vector<std::string> entrypoint;  ///< may be empty
  std::vector<std::string> command;
  std::vector<std::string> first_reads;  ///< what who starts a build wants first
};

struct Image {
  std::string config;    ///< exact bytes
  std::string manifest;  ///< exact bytes
  oci::Manifest parsed;
  oci::Descriptor
      descriptor;  ///< of the manifest, with platform and the annotations of its index entry
};

Image assemble(const ImageParts& parts);

/// What a seed's config says, as far as we use it again.
struct SeedImageConfig {
  std::string system;
  Digest closure;
  std::vector<Digest> diff_ids;
  os::Environment environment;
  LayerPlan plan;  ///< `reuse` set on every layer
  std::vector<std::string> first_reads;
};

/// Throws FormatError, also for images that are not seeds.
SeedImageConfig parse_seed_image_config(std::string_view json);

/// `manifest` as an index entry: with the platform and the Nix system.
oci::Descriptor describe_seed(oci::Descriptor manifest, std::string_view system);

/// The index of one tag: one manifest for each system, sorted. `source` is where the source code is
/// (org.opencontainers.image.source: what links a package to its repository); may be empty.
oci::Index make_index(std::vector<oci::Descriptor> manifests, const std::string& source);

/// The annotation that names a manifest's Nix system, since OCI platforms do not map to it one to
/// one.
inline constexpr std::string_view kSystemAnnotation = "dev.nix-seed.system";
inline constexpr std::string_view kClosureLabel = "dev.nix-seed.closure";
inline constexpr std::string_view kSystemLabel = "dev.nix-seed.system";

}  // namespace seed::image
