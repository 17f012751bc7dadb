#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "nix/tree.hpp"

namespace seed::image {

/// Writes one canonical POSIX tar: owner 0:0 without names, mtime 1, no device numbers, ustar
/// headers, a PAX header only where a path, link target or size does not fit ustar, no hard links,
/// no extended attributes, two zero blocks at the end. File data starts on a 512-byte boundary, so
/// an index over the tar can mount it without extraction. The same calls give the same bytes.
///
/// The sink sees chunks of 64 KiB or more, cut anywhere; all of them only after finish().
class TarWriter {
 public:
  /// `headers`, where there is one, gets the tar without the bytes of files and what pads them.
  explicit TarWriter(Sink sink, Sink headers = {});

  /// Paths are relative, without a trailing slash: `nix/store`.
  void directory(std::string_view path, std::uint32_t mode);
  void symlink(std::string_view path, std::string_view target);
  void file(std::string_view path, std::uint32_t mode, std::string_view content);
  void begin_file(std::string_view path, std::uint32_t mode, std::uint64_t size_bytes);
  void file_data(ByteView chunk);
  void end_file();
  void finish();

  std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  void header(std::string_view path,
              char type,
              std::uint32_t mode,
              std::uint64_t size_bytes,
              std::string_view link);
  void put(ByteView bytes);
  void put_header(ByteView bytes);
  ByteView padding() const;
  void flush();
  Sink sink_;
  Sink headers_;
  std::vector<std::byte> buffer_;
  std::uint64_t size_bytes_ = 0;
  std::uint64_t file_rest_ = 0;
};

/// Puts a visited tree below `prefix` (`nix/store/<hash>-<name>`): folders and executables 0555,
/// files 0444. A name that starts with `.wh.` is an Error: image-spec reads it as a deletion.
class TarTree final : public nix::TreeVisitor {
 public:
  TarTree(TarWriter& tar, std::string prefix) : tar_(tar), prefix_(std::move(prefix)) {}

  void enter_directory(std::string_view path) override;

  void leave_directory(std::string_view) override {}

  void symlink(std::string_view path, std::string_view target) override;
  void begin_file(std::string_view path, bool executable, std::uint64_t size_bytes) override;

  void file_data(ByteView chunk) override { tar_.file_data(chunk); }

  void end_file() override { tar_.end_file(); }

 private:
  std::string name_of(std::string_view path) const;
  TarWriter& tar_;
  std::string prefix_;
};

}  // namespace seed::image
