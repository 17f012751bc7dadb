#include "image/seed_root.hpp"

#include <utility>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "image/folder_cache.hpp"
#include "image/unpack.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

void unpack_to(const fs::path& root,
               oci::Repository& repository,
               const FoundSeed& seed,
               unsigned workers,
               Progress& progress) {
  std::uint64_t bytes = 0;
  for (const oci::Descriptor& layer : seed.parsed.layers) {
    bytes += layer.size_bytes;
  }
  progress.step(fmt::format("unpacking the seed: {} layers, {} from {}",
                            seed.parsed.layers.size(),
                            human_size(bytes),
                            repository.name()));
  const fs::path partial = root.string() + ".partial";
  os::remove_tree(partial);  // of a run that was killed
  os::make_dirs(partial);
  while_doing("unpacking the seed", [&] {
    unpack_image(repository, seed.parsed, seed.config.diff_ids, partial, workers);
  });
  fs::rename(partial, root);
}

}  // namespace

UnpackedSeed ensure_unpacked(oci::Repository& repository,
                             const FoundSeed& seed,
                             const fs::path& cache,
                             std::uint64_t limit_bytes,
                             unsigned workers,
                             Progress& progress) {
  const fs::path seeds = cache / "seeds";
  const fs::path root = seeds / seed.manifest.digest.hex();
  const fs::path lock = lock_beside(root);
  os::make_dirs(seeds);
  bool unpacked = false;
  for (;;) {
    {
      os::FileLock in_use(lock, os::Lock::shared);  // waits for who unpacks or removes it
      if (fs::exists(root)) {
        mark_used(lock);
        if (unpacked) {
          trim_folders(seeds, limit_bytes);
        }
        return {.root = root, .in_use = std::move(in_use)};
      }
    }
    // One of those that want it gets this lock; the others wait above.
    if (const auto alone = os::FileLock::try_take(lock); alone && !fs::exists(root)) {
      unpack_to(root, repository, seed, workers, progress);
      unpacked = true;
    }
  }
}

}  // namespace seed::image
