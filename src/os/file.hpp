#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/bytes.hpp"
#include "os/fd.hpp"

namespace seed::os {

namespace fs = std::filesystem;

/// A file descriptor with an owner. Every method throws Error naming the path.
class File {
 public:
  static File open_read(const fs::path& path);
  /// Creates or truncates.
  static File create(const fs::path& path, mode_t mode = 0644);
  /// Writes go to the end, whoever else adds to the file; reads from where they are. Creates.
  static File open_append(const fs::path& path, mode_t mode = 0644);
  /// Creates; an existing file is an error.
  static File create_new(const fs::path& path, mode_t mode = 0644);
  /// For reads and writes anywhere in it, by any number of processes. Creates.
  static File open_shared(const fs::path& path, mode_t mode = 0644);
  /// Without a name, on the file system of `folder`: gone when nobody has it open any more, however
  /// that comes.
  static File create_unnamed(const fs::path& folder);

  /// The same file once more, for reading only, whatever its name leads to by now.
  File reopen_read() const;

  int fd() const { return fd_.get(); }

  const fs::path& path() const { return path_; }

  std::uint64_t size() const;

  std::size_t read(std::span<std::byte> buffer);
  void write(ByteView bytes);
  /// Less than was asked for is the end of the file.
  std::size_t read_at(std::span<std::byte> buffer, std::uint64_t offset) const;
  void write_at(ByteView bytes, std::uint64_t offset) const;
  void seek(std::uint64_t offset);
  /// Writes that failed late are reported here, not lost in the destructor.
  void close();

 private:
  File(int fd, fs::path path) : fd_(fd), path_(std::move(path)) {}

  Fd fd_;
  fs::path path_;
};

/// The whole file; more than `limit_bytes` is an Error.
std::string read_file(const fs::path& path, std::uint64_t limit_bytes);

/// Readers see the old file or the whole new one: temporary file in the same folder, then rename.
void atomic_write(const fs::path& path, std::string_view text, mode_t mode = 0644);

void make_dirs(const fs::path& path);

/// Removes a tree even where folders are read-only, as in a Nix store. Never follows links.
void remove_tree(const fs::path& path);

/// A fresh folder that is gone, with all in it, when this goes.
class TempDir {
 public:
  /// Under `parent`, or $TMPDIR, or /tmp.
  explicit TempDir(const fs::path& parent = {});
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

enum class Lock { exclusive, shared };

/// Takes a flock(2) on an open file if nobody is in the way; it goes when the file is closed.
bool try_lock(const File& file, Lock kind);

/// Holds a flock(2) on `path` (made if absent) until it goes; waits for it, but not beyond a signal
/// that asks us to stop.
class FileLock {
 public:
  explicit FileLock(const fs::path& path, Lock kind = Lock::exclusive);

  /// The exclusive one; nothing where somebody holds it.
  static std::optional<FileLock> try_take(const fs::path& path);

 private:
  explicit FileLock(File file) : file_(std::move(file)) {}

  File file_;
};

/// Holds part of an open file against other processes, and other descriptions of it, that do the
/// same; waits for it, but not beyond a signal that asks us to stop. Threads that share a file must
/// keep from one another's parts themselves.
class RangeLock {
 public:
  RangeLock(const File& file, std::uint64_t offset, std::uint64_t size_bytes);
  ~RangeLock();

  RangeLock(const RangeLock&) = delete;
  RangeLock& operator=(const RangeLock&) = delete;

 private:
  bool set(short type) const;

  const File& file_;
  std::uint64_t offset_;
  std::uint64_t size_bytes_;
};

/// "opening /x: No such file or directory": the Error for errno, whatever the locale.
[[noreturn]] void throw_errno(std::string_view doing, const fs::path& path);

}  // namespace seed::os
