#pragma once

#include <filesystem>
#include <memory>

#include "oci/repository.hpp"

namespace seed::oci {

/// An OCI image layout directory (image-spec 1.1, image-layout.md) as a repository. Made when first
/// written. `index.json` is replaced atomically under a lock; blobs appear by rename, whole.
///
/// A file given to put_blob() may become the blob itself (a hard link): do not change it
/// afterwards. Its digest is taken at the caller's word then, as the caller has just computed it;
/// get_blob() verifies whatever it reads.
///
/// Every manifest is listed in `index.json`, as ORAS does it, until its last tag is given to
/// another, as skopeo does it. Referrers are the listed manifests with that subject, and those
/// under the fallback tag, where regclient puts them.
std::unique_ptr<Repository> open_layout(const std::filesystem::path& directory);

}  // namespace seed::oci
