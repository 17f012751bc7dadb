#pragma once

#include <filesystem>
#include <functional>

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

/// Writes a layer that `fill` describes: the image's own files.
LayerBlob write_layer(const std::function<void(TarWriter&)>& fill,
                      const std::filesystem::path& file,
                      Compression compression);

}  // namespace seed::image
