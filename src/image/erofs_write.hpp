#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "image/untar.hpp"

namespace seed::image {

/// A file that holds the bytes of files: a layer's tar.
struct ErofsDevice {
  Digest digest;  ///< of the whole file
  std::uint64_t size_bytes = 0;
};

/// A name in an ErofsTree: 40 bytes, since there may be a million.
struct ErofsNode {
  std::uint64_t offset = 0;  ///< of the data in the layer's tar
  std::uint64_t size = 0;
  std::uint32_t name = 0;  ///< where in the tree's text it is, then the link's target
  std::uint32_t parent = 0;
  std::int32_t mtime = 1;  ///< all that a TarEntry has
  std::uint16_t name_size = 0;
  std::uint16_t link_size = 0;
  std::uint16_t mode = 0755;
  std::uint16_t layer = 0;
  TarEntry::Kind kind = TarEntry::Kind::directory;
  bool implied = false;  ///< a folder that no entry has named yet
};

static_assert(sizeof(ErofsNode) == 40);

struct ErofsTree {
  std::deque<ErofsNode> nodes;  ///< the root first; below it in any order; never moved to grow
  std::string text;             ///< names and link targets
};

/// Whose all files are.
struct ErofsOwner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
};

/// The bytes of an EROFS image of `tree` with uncompressed metadata and no data of files. Of
/// several entries of one name, that of the latest layer counts, and of that layer the last.
/// FormatError where one of them is a folder, or where there are more devices than can be numbered.
void write_erofs(const ErofsTree& tree,
                 std::span<const ErofsDevice> devices,
                 ErofsOwner owner,
                 const Sink& sink);

}  // namespace seed::image
