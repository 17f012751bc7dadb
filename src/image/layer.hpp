#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "image/compress.hpp"
#include "image/plan.hpp"
#include "image/tar.hpp"
#include "nix/closure.hpp"

namespace seed::image {

struct PackOptions {
  Compression compression = Compression::zstd;
  unsigned workers = 1;
  std::filesystem::path store_dir = "/nix/store";  ///< where the paths are on this machine
};

/// Writes the layer for `layer.paths` to `file`, reading each path once: NAR hash, tar, compression
/// and both digests in one pass of bounded memory. A path whose NAR hash or size is not what
/// `closure` says is an IntegrityError naming it; one that is gone, an Error.
LayerBlob write_store_layer(const PlannedLayer& layer,
                            const nix::Closure& closure,
                            const std::filesystem::path& file,
                            const PackOptions& options);

/// Called when a layer is there, from any worker's thread, one at a time: its index, its blob and
/// its file (none for a layer that is taken over as it is).
using LayerDone = std::function<void(
    std::size_t index, const LayerBlob& blob, const std::filesystem::path& file)>;

/// Every layer of the plan: those with `reuse` as they are, the others written to files in
/// `directory`, `options.workers` at a time, the largest first. The result is in the plan's order
/// whatever the schedule.
std::vector<LayerBlob> write_store_layers(std::span<const PlannedLayer> plan,
                                          const nix::Closure& closure,
                                          const std::filesystem::path& directory,
                                          const PackOptions& options,
                                          const LayerDone& on_done = {});

/// Writes a layer that `fill` describes: the image's own files.
LayerBlob write_layer(const std::function<void(TarWriter&)>& fill,
                      const std::filesystem::path& file,
                      Compression compression);

}  // namespace seed::image
