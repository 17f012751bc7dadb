#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include "base/bytes.hpp"
#include "image/erofs_write.hpp"
#include "image/untar.hpp"

namespace seed::image {

/// An EROFS file system of names, modes and link targets, whose files lie in the tars of an image's
/// layers: with it the kernel shows all layers as one tree, and nothing is extracted. Layers are
/// laid over one another as an unpacker does: folders merge, of two other entries the one of the
/// later layer counts. All have one owner; setuid and setgid are not taken over.
class ErofsIndex {
 public:
  ErofsIndex();

  /// One entry of layer number `layer`; those of one layer come in the tar's order, those of
  /// several from as many threads. FormatError for a deletion, which seeds do not have, and for
  /// more names than kMaxEntries.
  void add(const TarEntry& entry, std::uint16_t layer);

  /// The image's bytes: the same for the same layers, whatever the order of calls was. FormatError
  /// where one name is a folder and something else.
  void write(std::span<const ErofsDevice> devices, ErofsOwner owner, const Sink& sink) const;

  /// Far beyond any closure: 40 bytes of memory each, and their names.
  static constexpr std::size_t kMaxEntries = 16 << 20;

 private:
  struct FolderName {
    std::uint32_t parent;
    std::string_view name;
    bool operator==(const FolderName&) const = default;
  };

  /// Folders are found by what the tree has of them, which is not held a second time.
  struct InTree {
    using is_transparent = void;
    const ErofsTree* tree;

    FolderName of(std::uint32_t id) const {
      const ErofsNode& node = tree->nodes[id];
      return {node.parent, std::string_view(tree->text).substr(node.name, node.name_size)};
    }

    static FolderName of(const FolderName& folder) { return folder; }
  };

  struct FolderHash : InTree {
    std::size_t operator()(const auto& folder) const {
      const FolderName key = of(folder);
      constexpr std::size_t kOdd = 0x9e3779b97f4a7c15;  // spreads small numbers (Knuth)
      return std::hash<std::string_view>()(key.name) ^ (key.parent + 1) * kOdd;
    }
  };

  struct SameFolder : InTree {
    bool operator()(const auto& a, const auto& b) const { return of(a) == of(b); }
  };

  std::uint32_t folder(std::string_view path);
  std::uint32_t append(ErofsNode node, std::string_view name, std::string_view link);

  std::mutex mutex_;
  ErofsTree tree_;
  std::unordered_set<std::uint32_t, FolderHash, SameFolder> folders_;
};

}  // namespace seed::image
