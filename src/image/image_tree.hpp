#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image/untar.hpp"
#include "oci/repository.hpp"

namespace seed::image {

/// One name in an image.
struct ImageNode {
  TarEntry::Kind kind = TarEntry::Kind::file;
  std::uint32_t mode = 0;
  std::string link;
  std::string content;  ///< of small files that checks read: os-release, passwd, gitconfig ...
  std::vector<std::string> folders;  ///< of a dynamic loader: where it searches by itself
};

/// The names of one layer, in its order; deletions (image-spec, layer.md, "Whiteouts") are among
/// them under their own names.
using LayerNames = std::vector<std::pair<std::string, ImageNode>>;

/// What a container shows of an image, as far as checks look: everything outside the Nix store, and
/// of the store links, programs, libraries and certificates.
class ImageTree {
 public:
  struct Found {
    std::string path;  ///< relative to the root, free of links
    const ImageNode* node;
  };

  /// Lays a layer over what is there.
  void add(const LayerNames& layer);

  /// Where a path leads, links followed as inside the image.
  std::optional<Found> find(std::string_view path) const;
  /// The first executable file of that name in the folders of a PATH.
  std::optional<Found> find_program(std::string_view name, std::string_view search_path) const;
  /// Full paths of what is right in `folder`, sorted.
  std::vector<std::string> entries_of(std::string_view folder) const;

 private:
  std::optional<std::string> resolve(std::string_view path) const;
  void remove_below(const std::string& folder);

  std::map<std::string, ImageNode, std::less<>> nodes_;
};

/// Reads a layer's tar from a stream. FormatError for what is damaged, and where the names need
/// more memory than `budget_bytes` has left; several readers may share one.
class LayerNamesReader {
 public:
  explicit LayerNamesReader(std::atomic<std::int64_t>& budget_bytes);
  LayerNamesReader(LayerNamesReader&&) noexcept;
  ~LayerNamesReader();
  void write(ByteView bytes);
  LayerNames finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Fetches every layer of `manifest`, `workers` at a time, and keeps names alone: no layer is held,
/// nothing is written to disk. Digests are verified.
ImageTree read_image_tree(oci::Repository& repository,
                          const oci::Manifest& manifest,
                          unsigned workers);

}  // namespace seed::image
