#pragma once

#include <cstdint>

namespace seed::oci {

/// Registries accept manifests up to 4 MiB (distribution-spec, "Pushing Manifests").
inline constexpr std::uint64_t kMaxManifestBytes = 4 << 20;
/// containers/image reads configs of at most 4 MiB.
inline constexpr std::uint64_t kMaxConfigBytes = 4 << 20;
inline constexpr std::uint64_t kMaxTokenBytes = 1 << 20;
inline constexpr std::uint64_t kMaxErrorBytes = 64 << 10;
inline constexpr std::uint64_t kMaxListBytes = 8 << 20;
/// All pages of one list together.
inline constexpr std::uint64_t kMaxListTotalBytes = 64 << 20;
inline constexpr unsigned kMaxPages = 1000;
inline constexpr unsigned kMaxRedirects = 5;
inline constexpr std::uint64_t kMaxCredentialFileBytes = 1 << 20;

}  // namespace seed::oci
