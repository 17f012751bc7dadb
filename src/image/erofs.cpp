#include "image/erofs.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::image {
namespace {

using Node = ErofsNode;
using Kind = TarEntry::Kind;

constexpr std::uint64_t kBlock = 512;
constexpr std::uint64_t kMaxTextBytes = std::uint64_t{1} << 30;
static_assert(kMaxTextBytes < UINT32_MAX);

}  // namespace

ErofsIndex::ErofsIndex()
    : tree_{.nodes = std::deque<Node>(1), .text = {}},
      folders_(0, FolderHash{&tree_}, SameFolder{&tree_}) {}

std::uint32_t ErofsIndex::append(Node node, std::string_view name, std::string_view link) {
  if (tree_.nodes.size() == kMaxEntries || tree_.text.size() > kMaxTextBytes) {
    throw FormatError("the layers' tars have more names than any closure");
  }
  node.name = static_cast<std::uint32_t>(tree_.text.size());
  node.name_size = static_cast<std::uint16_t>(name.size());
  node.link_size = static_cast<std::uint16_t>(link.size());
  tree_.text += name;
  tree_.text += link;
  tree_.nodes.push_back(node);
  return static_cast<std::uint32_t>(tree_.nodes.size() - 1);
}

/// The folder of that path; made, and all above it, where no entry has named it yet.
std::uint32_t ErofsIndex::folder(std::string_view path) {
  std::uint32_t at = 0;
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    if (const auto found = folders_.find(FolderName{at, name}); found != folders_.end()) {
      at = *found;
    } else {
      at = append({.parent = at, .implied = true}, name, "");
      folders_.insert(at);
    }
  }
  return at;
}

void ErofsIndex::add(const TarEntry& entry, std::uint16_t layer) {
  if (entry.path.empty()) {  // "./": the root is not the layers' to shape
    return;
  }
  const std::size_t slash = entry.path.rfind('/');
  const std::size_t start = slash == std::string::npos ? 0 : slash + 1;
  const std::string_view name = std::string_view(entry.path).substr(start);
  if (name.starts_with(".wh.")) {
    throw FormatError(
        fmt::format("'{}' in a tar is a deletion; seeds have none", printable(entry.path)));
  }
  const auto mode = static_cast<std::uint16_t>(entry.mode & 01777);
  const std::lock_guard lock(mutex_);
  if (entry.kind == Kind::directory) {
    Node& node = tree_.nodes[folder(entry.path)];
    if (node.implied || layer >= node.layer) {
      node.implied = false;
      node.mode = mode;
      node.mtime = static_cast<std::int32_t>(entry.mtime);
      node.layer = layer;
    }
    return;
  }
  if ((entry.kind != Kind::file && entry.kind != Kind::symlink) ||
      entry.data_offset % kBlock != 0) {
    throw FormatError(fmt::format("'{}' in a tar can't be mounted", printable(entry.path)));
  }
  const bool is_file = entry.kind == Kind::file;
  append({.offset = entry.data_offset,
          .size = entry.size_bytes,
          .parent = folder(std::string_view(entry.path).substr(0, start == 0 ? 0 : slash)),
          .mtime = static_cast<std::int32_t>(entry.mtime),
          .mode = is_file ? mode : std::uint16_t{0777},
          .layer = layer,
          .kind = entry.kind},
         name,
         is_file ? "" : entry.link);
}

void ErofsIndex::write(std::span<const ErofsDevice> devices,
                       ErofsOwner owner,
                       const Sink& sink) const {
  write_erofs(tree_, devices, owner, sink);
}

}  // namespace seed::image
