#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

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

  /// Far beyond any closure: 64 bytes of memory each, and their names.
  static constexpr std::size_t kMaxEntries = 16 << 20;

 private:
  struct Hash {
    using is_transparent = void;

    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };

  std::uint32_t folder(std::string_view path);
  std::uint32_t append(ErofsNode node, std::string_view name, std::string_view link);

  std::mutex mutex_;
  ErofsTree tree_;
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> folders_;
};

}  // namespace seed::image
