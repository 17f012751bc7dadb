#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace seed::nix {

/// Sees a file system tree in NAR order: a folder's entries by name, bytewise, each whole before
/// the next. `path` is relative to the root of the tree, "" for the root itself.
class TreeVisitor {
 public:
  virtual ~TreeVisitor() = default;
  virtual void enter_directory(std::string_view path) = 0;
  virtual void leave_directory(std::string_view path) = 0;
  virtual void symlink(std::string_view path, std::string_view target) = 0;
  virtual void begin_file(std::string_view path, bool executable, std::uint64_t size_bytes) = 0;
  virtual void file_data(ByteView chunk) = 0;
  virtual void end_file() = 0;
};

/// Walks `root` (which may be a file or a link) and reads every file once. A file that shrinks or
/// grows meanwhile, and anything but files, folders and links, is an Error.
void visit_tree(const std::filesystem::path& root, TreeVisitor& visitor);

}  // namespace seed::nix
