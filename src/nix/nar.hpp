#pragma once

#include <cstdint>
#include <functional>

#include "base/digest.hpp"
#include "nix/tree.hpp"

namespace seed::nix {

/// Turns a visit into the bytes of a Nix archive ("nix-archive-1") and hashes them.
class NarHasher final : public TreeVisitor {
 public:
  void enter_directory(std::string_view path) override;
  void leave_directory(std::string_view path) override;
  void symlink(std::string_view path, std::string_view target) override;
  void begin_file(std::string_view path, bool executable, std::uint64_t size_bytes) override;
  void file_data(ByteView chunk) override;
  void end_file() override;

  struct Result {
    Digest hash;
    std::uint64_t size_bytes;
  };

  /// After the visit of one whole tree; starts anew.
  Result finish();

 private:
  void begin_node(std::string_view path);
  void end_node(std::string_view path);
  void put(std::string_view text);
  void put_padding(std::uint64_t size_bytes);
  void put_length(std::uint64_t length);
  void flush();

  Sha256 hash_;
  std::string buffer_;
  std::string file_path_;
  std::uint64_t file_size_ = 0;
  std::uint64_t file_left_ = 0;
  bool started_ = false;
};

}  // namespace seed::nix
