#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "image/publish.hpp"
#include "os/file.hpp"
#include "os/image_mount.hpp"
#include "os/sudo.hpp"

namespace seed::image {

/// How this machine mounts seeds, found by mounting a small one; or why it can't.
struct MountSupport {
  std::optional<os::Backing> backing;
  std::string why_not;
};

/// `cache` is where the tars would be: its file system matters too. For who is not root, `sudo`
/// mounts; null: nobody does.
MountSupport mount_support(const std::filesystem::path& cache, const os::Sudo* sudo);

/// A seed's root, shown by the kernel to this process and its children, and to nobody else.
struct MountedSeed {
  std::filesystem::path root;         ///< for this process to read
  std::filesystem::path shown_at;     ///< where it is in `lent`'s namespace, or in ours
  std::optional<os::LentMount> lent;  ///< where root mounted it for us
  std::vector<os::File> tars;         ///< open: nobody evicts them from the cache
  std::uint64_t fetched_bytes = 0;
  std::uint64_t cached_bytes = 0;  ///< of the blobs whose tars were there
};

struct MountOptions {
  os::Backing backing = os::Backing::file;
  unsigned connections = 4;
  std::uint64_t limit_bytes = 0;  ///< for tars, in the end; those of this seed stay anyhow
  const os::Sudo* sudo = nullptr;
};

/// Fetches the layers that `cache` lacks and mounts all of them as one read-only tree, from bytes
/// that were hashed in this process. Call it before any thread is started: without sudo the calling
/// one gets a mount namespace of its own.
MountedSeed mount_seed(oci::Repository& repository,
                       const FoundSeed& seed,
                       const std::filesystem::path& cache,
                       const MountOptions& options,
                       Progress& progress);

}  // namespace seed::image
