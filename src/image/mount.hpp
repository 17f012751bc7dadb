#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "image/lazy_tars.hpp"
#include "image/publish.hpp"
#include "os/file.hpp"
#include "os/image_mount.hpp"
#include "os/served_files.hpp"
#include "os/sudo.hpp"

namespace seed::image {

/// How this machine mounts seeds, found by mounting a small one; or why it can't.
struct MountSupport {
  std::optional<os::Backing> backing;
  bool lazily = false;  ///< files can be read before all of them has come
  std::string why_not;
};

/// `cache` is where the tars would be: its file system matters too. For who is not root, `sudo`
/// mounts; null: nobody does.
MountSupport mount_support(const std::filesystem::path& cache, const os::Sudo* sudo);

/// A seed's root, shown by the kernel to this process and its children, and to nobody else.
struct MountedSeed {
  std::filesystem::path root;               ///< for this process to read
  std::filesystem::path shown_at;           ///< where it is in `lent`'s namespace, or in ours
  std::optional<os::LentMount> lent;        ///< where root mounted it for us
  std::unique_ptr<LazyTars> lazy_tars;      ///< of layers that are read as they are needed
  std::unique_ptr<os::ServedFiles> served;  ///< what the kernel sees of them
  std::vector<os::File> tars;               ///< open: nobody evicts them from the cache
  std::uint64_t fetched_bytes = 0;          ///< before it was mounted
  std::uint64_t cached_bytes = 0;           ///< of the blobs whose tars were there
  std::uint64_t lazy_bytes = 0;             ///< of the blobs that are read as they are needed

  /// Throws what a reader met that could not get or trust what it wanted: it was told of an
  /// input/output error, and no more.
  void rethrow_failure() const;
};

struct MountOptions {
  os::Backing backing = os::Backing::file;
  bool lazily = false;  ///< layers with a table of contents are fetched as they are read
  unsigned connections = 4;
  std::uint64_t limit_bytes = 0;  ///< for tars, in the end; those of this seed stay anyhow
  const os::Sudo* sudo = nullptr;
};

/// Mounts all layers as one read-only tree of bytes that are hashed in this process: before it is
/// mounted, or before somebody reads them. `repository` must outlive the mount then. Call it before
/// any thread is started: without sudo the calling one gets a mount namespace of its own.
MountedSeed mount_seed(oci::Repository& repository,
                       const FoundSeed& seed,
                       const std::filesystem::path& cache,
                       const MountOptions& options,
                       Progress& progress);

}  // namespace seed::image
