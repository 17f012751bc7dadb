#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "base/bytes.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"

namespace seed::os {

/// A FUSE file system that is mounted nowhere, and the descriptor that its server answers on. Both
/// are gone when the last of them, and of the files opened there, is closed.
struct ServedMount {
  Fd device;
  Fd root;  ///< its root folder
};

/// Makes one whose files belong to nobody but can be read by all who get a descriptor. Needs root.
/// Throws Error with the kernel's own words.
ServedMount make_served_mount();

/// Files whose bytes this process makes when somebody reads them: the reader waits meanwhile. Read
/// by the kernel (a mount over them), or through descriptors. They end with this object, or with
/// the process however it ends: who reads then gets an error.
class ServedFiles {
 public:
  /// Fills `into`, which lies within the file, from `offset` on. Called from several threads. What
  /// it throws is an input/output error for the reader, and kept.
  using Read =
      std::function<void(std::size_t file, std::uint64_t offset, std::span<std::byte> into)>;

  /// Gives bytes of a file to the kernel before anybody reads them: who does then finds them in its
  /// memory. It may forget them, and asks as usual then. Waits while somebody reads there, so it is
  /// not for `Read`'s threads.
  using Give = std::function<void(std::size_t file, std::uint64_t offset, ByteView bytes)>;

  /// One file for each of `sizes`.
  ServedFiles(ServedMount mount, std::vector<std::uint64_t> sizes, Read read);
  ~ServedFiles();

  ServedFiles(const ServedFiles&) = delete;
  ServedFiles& operator=(const ServedFiles&) = delete;

  File open(std::size_t file) const;

  /// May outlive this object, and does nothing then.
  Give giver() const;

  /// Throws what the first read that failed threw; does nothing where none has.
  void rethrow_failure() const;

 private:
  struct Gate;

  void serve();
  void answer(ByteView request, std::vector<std::byte>& buffer);
  void answer_read(ByteView request, std::vector<std::byte>& buffer);
  std::size_t file_of(std::uint64_t node) const;

  ServedMount mount_;
  std::vector<std::uint64_t> sizes_;
  Read read_;
  Fd stop_;
  std::shared_ptr<Gate> gate_;
  mutable std::mutex mutex_;
  std::exception_ptr failure_;
  std::vector<std::jthread> threads_;
};

}  // namespace seed::os
