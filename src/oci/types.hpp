#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"

namespace seed::oci {

// image-spec 1.1, media-types.md
inline constexpr std::string_view kManifestType = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view kIndexType = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view kConfigType = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view kEmptyType = "application/vnd.oci.empty.v1+json";
inline constexpr std::string_view kLayerZstdType = "application/vnd.oci.image.layer.v1.tar+zstd";
inline constexpr std::string_view kLayerGzipType = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view kDockerManifestType =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view kDockerListType =
    "application/vnd.docker.distribution.manifest.list.v2+json";

using Annotations = std::map<std::string, std::string>;

struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
  bool operator==(const Platform&) const = default;
};

struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size_bytes = 0;
  Annotations annotations;
  std::string artifact_type;
  std::optional<Platform> platform;
  bool operator==(const Descriptor&) const = default;
};

struct Manifest {
  Descriptor config;
  std::vector<Descriptor> layers;
  std::string artifact_type;
  std::optional<Descriptor> subject;
  Annotations annotations;
  bool operator==(const Manifest&) const = default;
};

struct Index {
  std::vector<Descriptor> manifests;
  std::string artifact_type;
  std::optional<Descriptor> subject;
  Annotations annotations;
  bool operator==(const Index&) const = default;
};

/// Canonical text: keys sorted, no white space, absent members left out. Same value, same bytes.
std::string to_json(const Manifest& manifest);
std::string to_json(const Index& index);

/// Throw FormatError. Docker's manifest and list types are read as their OCI counterparts.
Manifest parse_manifest(std::string_view json);
Index parse_index(std::string_view json);

/// The descriptor of `content`, which is of `media_type`.
Descriptor describe(std::string_view media_type, std::string_view content);

}  // namespace seed::oci
