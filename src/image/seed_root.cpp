#include "image/seed_root.hpp"

#include <cstdio>

#include <sys/stat.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "image/unpack.hpp"
#include "os/file.hpp"

namespace seed::image {

namespace fs = std::filesystem;

fs::path ensure_unpacked(oci::Repository& repository,
                         const FoundSeed& seed,
                         const fs::path& cache,
                         unsigned workers,
                         Progress& progress) {
  const fs::path seeds = cache / "seeds";
  const std::string hex = seed.manifest.digest.hex();
  const fs::path root = seeds / hex;
  os::make_dirs(seeds);
  const os::FileLock lock(seeds / (hex + ".lock"));
  if (fs::exists(root)) {
    return root;
  }
  std::uint64_t bytes = 0;
  for (const oci::Descriptor& layer : seed.parsed.layers) {
    bytes += layer.size_bytes;
  }
  progress.step(fmt::format("unpacking the seed: {} layers, {} from {}",
                            seed.parsed.layers.size(),
                            human_size(bytes),
                            repository.name()));
  const fs::path partial = seeds / (hex + ".partial");
  if (fs::exists(partial)) {
    os::remove_tree(partial);  // an earlier run was killed
  }
  os::make_dirs(partial);
  while_doing("unpacking the seed", [&] {
    unpack_image(repository, seed.parsed, seed.config.diff_ids, partial, workers);
  });
  fs::rename(partial, root);
  return root;
}

}  // namespace seed::image
