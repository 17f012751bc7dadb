#include "image/erofs_write.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <utility>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

// The format: linux/fs/erofs/erofs_fs.h. Numbers are little-endian; an inode's number (nid) is its
// place in slots of 32 bytes.
namespace seed::image {
namespace {

using Node = ErofsNode;
using Kind = TarEntry::Kind;

/// Files in a tar start at multiples of 512, so blocks can be no larger.
constexpr std::uint64_t kBlock = 512;
constexpr unsigned kBlockBits = 9;
constexpr std::uint64_t kSlot = 32;
constexpr std::uint64_t kSuperOffset = 1024;
constexpr std::uint64_t kSuperBytes = 128;
constexpr std::uint64_t kDeviceBytes = 128;
constexpr std::uint64_t kDevicesOffset = kSuperOffset + kSuperBytes;
/// What nearly every file has: it is written once, so that their inodes can be the short ones.
constexpr std::int64_t kMtime = 1;
constexpr std::uint64_t kDirentBytes = 12;
/// The superblock has 16 bits for the number of the root, which comes after the devices.
constexpr std::size_t kMaxDevices = 4096;

enum Layout : unsigned { flat_plain = 0, flat_inline = 2, chunk_based = 4 };

void put(Bytes& bytes, std::uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) {
    bytes.push_back(static_cast<std::byte>(value >> 8 * i & 0xff));
  }
}

void put(Bytes& bytes, std::string_view text) {
  const ByteView view = bytes_of(text);
  bytes.insert(bytes.end(), view.begin(), view.end());
}

void pad_to(Bytes& bytes, std::uint64_t size) {
  bytes.resize(std::max<std::uint64_t>(bytes.size(), size));
}

std::uint64_t blocks_of(std::uint64_t size) {
  return (size + kBlock - 1) / kBlock;
}

std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

/// The tree, with everything in its place, and its bytes.
class Writer {
 public:
  Writer(const std::deque<Node>& nodes,
         std::string_view text,
         std::span<const ErofsDevice> devices,
         ErofsOwner owner)
      : nodes_(nodes), text_(text), devices_(devices), owner_(owner), nids_(nodes.size()) {
    sort_children();
    walk();
    place();
  }

  void write(const Sink& sink);

 private:
  /// Where the data of an inode goes.
  struct Shape {
    Layout layout = flat_plain;
    std::uint64_t size = 0;    ///< as stat shows it
    std::uint64_t blocks = 0;  ///< among the data blocks
    std::uint64_t tail = 0;    ///< bytes behind the inode
    bool extended = false;

    std::uint64_t inode_bytes() const { return extended ? 64 : 32; }
  };

  std::string_view name_of(std::uint32_t id) const {
    return text_.substr(nodes_[id].name, nodes_[id].name_size);
  }

  std::string_view link_of(const Node& node) const {
    return text_.substr(node.name + node.name_size, node.link_size);
  }

  std::span<const std::uint32_t> children(std::uint32_t id) const {
    return std::span(sorted_).subspan(first_[id], first_[id + 1] - first_[id]);
  }

  void sort_children();
  void walk();
  void place();
  std::uint64_t links_to(std::uint32_t id) const;
  Bytes folder_content(std::uint32_t id) const;
  Bytes flat_content(std::uint32_t id) const;
  Shape shape_of(std::uint32_t id, std::uint64_t flat_size) const;
  Bytes head() const;
  void put_inode(Bytes& out, std::uint32_t id, const Shape& shape, std::uint64_t block) const;

  const std::deque<Node>& nodes_;
  std::string_view text_;
  std::span<const ErofsDevice> devices_;
  ErofsOwner owner_;
  std::vector<std::uint32_t> sorted_;  ///< by parent, then name
  std::vector<std::uint32_t> first_;   ///< of a node's children in sorted_
  std::vector<std::uint32_t> order_;   ///< parents before children, names sorted
  std::vector<std::uint32_t> nids_;
  std::uint64_t data_start_ = 0;  ///< in bytes; the inodes are before it
  std::uint64_t data_blocks_ = 0;
};

void Writer::sort_children() {
  sorted_.resize(nodes_.size() - 1);
  std::iota(sorted_.begin(), sorted_.end(), 1U);
  const auto place = [&](std::uint32_t id) { return std::pair(nodes_[id].parent, name_of(id)); };
  std::ranges::sort(sorted_, [&](std::uint32_t a, std::uint32_t b) {
    if (const auto order = place(a) <=> place(b); order != 0) {
      return order < 0;
    }
    return std::pair(nodes_[a].layer, a) < std::pair(nodes_[b].layer, b);
  });
  // Of several entries of one name the last counts.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < sorted_.size(); ++i) {
    const bool again = i + 1 < sorted_.size() && place(sorted_[i]) == place(sorted_[i + 1]);
    if (again && (nodes_[sorted_[i]].kind == Kind::directory ||
                  nodes_[sorted_[i + 1]].kind == Kind::directory)) {
      throw FormatError(fmt::format("'{}' is a folder and something else in the layers' tars",
                                    printable(name_of(sorted_[i]))));
    }
    if (!again) {
      sorted_[kept++] = sorted_[i];
    }
  }
  sorted_.resize(kept);
  first_.resize(nodes_.size() + 1);
  for (const std::uint32_t id : sorted_) {
    ++first_[nodes_[id].parent + 1];
  }
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
}

void Writer::walk() {
  std::vector<std::uint32_t> stack{0};
  while (!stack.empty()) {
    const std::uint32_t id = stack.back();
    stack.pop_back();
    order_.push_back(id);
    const auto below = children(id);
    stack.insert(stack.end(), below.rbegin(), below.rend());
  }
}

/// What is behind an inode must end in the inode's block; the rest has blocks of its own.
Writer::Shape Writer::shape_of(std::uint32_t id, std::uint64_t flat_size) const {
  const Node& node = nodes_[id];
  Shape shape{.size = node.kind == Kind::file ? node.size : flat_size};
  shape.extended = node.mtime != kMtime || shape.size > UINT32_MAX || links_to(id) > UINT16_MAX ||
                   owner_.uid > UINT16_MAX || owner_.gid > UINT16_MAX;
  if (node.kind == Kind::file) {
    shape.layout = node.size == 0 ? flat_plain : chunk_based;
    shape.tail = node.size == 0 ? 0 : 8;
    return shape;
  }
  shape.tail = flat_size % kBlock;
  shape.layout =
      shape.tail != 0 && shape.inode_bytes() + shape.tail <= kBlock ? flat_inline : flat_plain;
  if (shape.layout == flat_plain) {
    shape.tail = 0;
    shape.blocks = blocks_of(flat_size);
  } else {
    shape.blocks = flat_size / kBlock;
  }
  return shape;
}

std::uint64_t Writer::links_to(std::uint32_t id) const {
  if (nodes_[id].kind != Kind::directory) {
    return 1;
  }
  return 2 + static_cast<std::uint64_t>(std::ranges::count_if(
                 children(id), [&](auto child) { return nodes_[child].kind == Kind::directory; }));
}

void Writer::place() {
  std::uint64_t at = round_up(kDevicesOffset + devices_.size() * kDeviceBytes, kSlot);
  for (const std::uint32_t id : order_) {
    const Shape shape = shape_of(id, flat_content(id).size());
    const std::uint64_t size = shape.inode_bytes() + shape.tail;
    if (at % kBlock + size > kBlock) {
      at = round_up(at, kBlock);
    }
    nids_[id] = static_cast<std::uint32_t>(at / kSlot);
    at = round_up(at + size, kSlot);
    data_blocks_ += shape.blocks;
  }
  data_start_ = round_up(at, kBlock);
}

/// Blocks of entries sorted by name, each with its names behind it.
Bytes Writer::folder_content(std::uint32_t id) const {
  struct Entry {
    std::string_view name;
    std::uint32_t node;
  };

  std::vector<Entry> entries{{".", id}, {"..", nodes_[id].parent}};
  for (const std::uint32_t child : children(id)) {
    entries.push_back({name_of(child), child});
  }
  std::ranges::sort(entries, {}, &Entry::name);
  Bytes content;
  for (auto block = entries.begin(); block != entries.end();) {
    pad_to(content, round_up(content.size(), kBlock));
    std::uint64_t used = 0;
    auto end = block;
    for (; end != entries.end() && used + kDirentBytes + end->name.size() <= kBlock; ++end) {
      used += kDirentBytes + end->name.size();
    }
    std::uint64_t name_at = static_cast<std::uint64_t>(end - block) * kDirentBytes;
    for (auto entry = block; entry != end; ++entry) {
      const Kind kind = nodes_[entry->node].kind;
      put(content, nids_[entry->node], 8);
      put(content, name_at, 2);
      put(content, kind == Kind::file ? 1 : kind == Kind::directory ? 2 : 7, 1);  // EROFS_FT_*
      put(content, 0, 1);
      name_at += entry->name.size();
    }
    for (; block != end; ++block) {
      put(content, block->name);
    }
  }
  return content;
}

/// Of a folder or a link; a file's content is in its tar.
Bytes Writer::flat_content(std::uint32_t id) const {
  if (nodes_[id].kind == Kind::directory) {
    return folder_content(id);
  }
  Bytes content;
  put(content, nodes_[id].kind == Kind::symlink ? link_of(nodes_[id]) : std::string_view());
  return content;
}

Bytes Writer::head() const {
  Bytes out(kSuperOffset);
  put(out, 0xe0f5e1e2, 4);
  put(out, 0, 4);    // no checksum of the superblock: all of it is hashed or was just made
  put(out, 0x2, 4);  // compatible features: times are mtimes
  put(out, kBlockBits, 1);
  put(out, 0, 1);
  put(out, nids_[0], 2);
  put(out, order_.size(), 8);
  put(out, kMtime, 8);
  put(out, 0, 4);
  put(out, data_start_ / kBlock + data_blocks_, 4);
  put(out, 0, 4);  // inodes are counted from the start
  put(out, 0, 4);
  pad_to(out, kSuperOffset + 64);  // no UUID
  put(out, "nix-seed");
  pad_to(out, kSuperOffset + 80);
  put(out, 0xc, 4);  // incompatible features: chunks, devices
  put(out, 0, 2);
  put(out, devices_.size(), 2);
  put(out, kDevicesOffset / kDeviceBytes, 2);
  pad_to(out, kDevicesOffset);
  for (const ErofsDevice& device : devices_) {
    const std::size_t start = out.size();
    put(out, device.digest.hex());
    put(out, blocks_of(device.size_bytes), 4);
    pad_to(out, start + kDeviceBytes);
  }
  return out;
}

void Writer::put_inode(Bytes& out,
                       std::uint32_t id,
                       const Shape& shape,
                       std::uint64_t block) const {
  const Node& node = nodes_[id];
  constexpr std::uint32_t kTypes[] = {0100000, 0040000, 0120000};  // S_IFREG, S_IFDIR, S_IFLNK
  const std::uint32_t mode = kTypes[static_cast<std::size_t>(node.kind)] | node.mode;
  // One chunk, which is as large as the file needs, in the form that names its device.
  constexpr std::uint64_t kChunkIndexes = 0x20;
  const unsigned chunk_bits =
      node.size <= kBlock ? 0
                          : static_cast<unsigned>(std::bit_width((node.size - 1) >> kBlockBits));
  const std::uint64_t place = shape.layout == chunk_based ? kChunkIndexes | chunk_bits : block;
  put(out, shape.layout << 1 | (shape.extended ? 1 : 0), 2);
  put(out, 0, 2);  // no extended attributes
  put(out, mode, 2);
  if (shape.extended) {
    put(out, 0, 2);
    put(out, shape.size, 8);
    put(out, place, 4);
    put(out, nids_[id], 4);
    put(out, owner_.uid, 4);
    put(out, owner_.gid, 4);
    put(out, static_cast<std::uint64_t>(node.mtime), 8);
    put(out, 0, 4);
    put(out, links_to(id), 4);
    put(out, 0, 8);
    put(out, 0, 8);
  } else {
    put(out, links_to(id), 2);
    put(out, shape.size, 4);
    put(out, 0, 4);
    put(out, place, 4);
    put(out, nids_[id], 4);
    put(out, owner_.uid, 2);
    put(out, owner_.gid, 2);
    put(out, 0, 4);
  }
  if (shape.layout == chunk_based) {
    put(out, 0, 2);
    put(out, node.layer + 1U, 2);
    put(out, node.offset / kBlock, 4);
  }
}

void Writer::write(const Sink& sink) {
  constexpr std::size_t kFlushBytes = 256 << 10;
  Bytes out = head();
  std::uint64_t flushed = 0;
  const auto flush = [&](std::size_t limit) {
    if (out.size() >= limit) {
      sink(out);
      flushed += out.size();
      out.clear();
    }
  };
  std::uint64_t block = data_start_ / kBlock;
  for (const std::uint32_t id : order_) {
    const Bytes content = flat_content(id);
    const Shape shape = shape_of(id, content.size());
    pad_to(out, nids_[id] * kSlot - flushed);
    put_inode(out, id, shape, shape.blocks == 0 ? 0 : block);
    if (shape.layout == flat_inline) {
      out.insert(out.end(), content.end() - static_cast<std::ptrdiff_t>(shape.tail), content.end());
    }
    block += shape.blocks;
    flush(kFlushBytes);
  }
  pad_to(out, data_start_ - flushed);
  for (const std::uint32_t id : order_) {
    const Bytes content = flat_content(id);
    const std::uint64_t start = out.size();
    const std::uint64_t size = shape_of(id, content.size()).blocks * kBlock;
    out.insert(out.end(),
               content.begin(),
               content.begin() +
                   static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(size, content.size())));
    pad_to(out, start + size);
    flush(kFlushBytes);
  }
  flush(1);
}

}  // namespace

void write_erofs(const ErofsTree& tree,
                 std::span<const ErofsDevice> devices,
                 ErofsOwner owner,
                 const Sink& sink) {
  if (devices.size() > kMaxDevices) {
    throw FormatError(
        fmt::format("an image has {} layers; {} can be mounted", devices.size(), kMaxDevices));
  }
  Writer(tree.nodes, tree.text, devices, owner).write(sink);
}

}  // namespace seed::image
