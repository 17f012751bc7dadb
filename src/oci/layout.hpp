#pragma once

#include <filesystem>
#include <memory>

#include "oci/repository.hpp"

namespace seed::oci {

/// An OCI image layout directory (image-spec 1.1, image-layout.md) as a repository. Made when first
/// written. `index.json` is replaced atomically under a lock; blobs appear by rename, whole.
std::unique_ptr<Repository> open_layout(const std::filesystem::path& directory);

}  // namespace seed::oci
