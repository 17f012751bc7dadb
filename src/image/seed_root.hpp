#pragma once

#include <cstdint>
#include <filesystem>

#include "base/progress.hpp"
#include "image/publish.hpp"
#include "os/file.hpp"

namespace seed::image {

/// A seed's root, unpacked.
struct UnpackedSeed {
  std::filesystem::path root;
  os::FileLock in_use;  ///< shared; while it is held nobody removes the root
};

/// The seed's root below `cache`: unpacked now, or by an earlier run. It is whole or not there:
/// unpacking goes to a folder beside it, which is renamed at the end. Nobody writes to it
/// afterwards. Roots used long ago go where all of them take more than `limit_bytes`.
UnpackedSeed ensure_unpacked(oci::Repository& repository,
                             const FoundSeed& seed,
                             const std::filesystem::path& cache,
                             std::uint64_t limit_bytes,
                             unsigned workers,
                             Progress& progress);

}  // namespace seed::image
