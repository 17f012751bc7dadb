#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/digest.hpp"
#include "image/plan.hpp"
#include "image/untar.hpp"
#include "oci/repository.hpp"
#include "os/file.hpp"

namespace seed::image {

/// A tar of the cache. While it is open nobody evicts it.
struct CachedTar {
  os::File file;  ///< read-only
  std::uint64_t size_bytes = 0;
  bool fetched = false;  ///< by this call
  /// What the cache held was damaged: the handler has seen it, and has to start anew.
  bool was_damaged = false;
};

/// Layers below a folder: kept between runs, and shared by all seeds and jobs of a user. Some are
/// tars under their diff_id, others blobs under their digest that may have holes (lazy_tars.hpp).
/// A tar is whole or not there: it is written to another name, checked
/// and then renamed. What lay here is hashed again before it is used, so that a flipped byte, or a
/// file that a crash cut short, is fetched anew instead of mounted. Thread-safe, and safe beside
/// other processes: a layer that several want is fetched by one of them.
class LayerCache {
 public:
  explicit LayerCache(std::filesystem::path folder);

  const std::filesystem::path& folder() const { return folder_; }

  /// The tar of a layer, every byte of which has gone through this process's SHA-256, and its
  /// entries through `handler`. Throws where the repository gives other bytes.
  CachedTar get(oci::Repository& repository,
                const oci::Descriptor& layer,
                const Digest& diff_id,
                TarHandler& handler);

  /// The table of contents of a layer, checked, from here or from the repository. Throws where that
  /// gives other bytes.
  Bytes toc(oci::Repository& repository, const oci::Descriptor& layer, const TocPlace& place);

  /// The file for what has come of a layer's blob: what lies in it was not checked. While it is
  /// open nobody evicts it.
  os::File open_blob(const oci::Descriptor& layer);

  /// Removes what was used longest ago until the rest has at most `limit_bytes`, and what killed
  /// runs have left. What somebody has open stays.
  void trim(std::uint64_t limit_bytes);

 private:
  std::filesystem::path path_of(const Digest& diff_id) const;
  std::filesystem::path lock_of(const std::string& hex) const;
  CachedTar fetch(oci::Repository& repository,
                  const oci::Descriptor& layer,
                  const Digest& diff_id,
                  TarHandler& handler);
  void evict(const std::filesystem::path& path);

  std::filesystem::path folder_;
};

}  // namespace seed::image
