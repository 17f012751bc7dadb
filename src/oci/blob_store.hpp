#pragma once

#include <filesystem>
#include <functional>
#include <mutex>

#include "oci/repository.hpp"
#include "os/file.hpp"

namespace seed::oci {

/// The folder of an image layout and its blobs. Thread-safe, and safe beside other processes: a
/// blob is there whole or not at all, whenever a writer dies.
class BlobStore {
 public:
  explicit BlobStore(const std::filesystem::path& directory) : directory_(directory) {}

  const std::filesystem::path& directory() const { return directory_; }

  std::filesystem::path path_of(const Digest& digest) const {
    return directory_ / "blobs" / "sha256" / digest.hex();
  }

  std::filesystem::path lock_path() const { return directory_ / ".lock"; }

  /// Throws where `oci-layout` is of a version we do not know.
  void check_version() const;
  /// Makes the folder an image layout where it is none yet.
  void prepare();

  /// A file of that name and size; its bytes are verified when they are read.
  bool has(const Descriptor& blob) const;
  void get(const Descriptor& blob, const Sink& sink) const;
  void get_range(const Descriptor& blob,
                 std::uint64_t offset,
                 std::uint64_t length,
                 const Sink& sink) const;
  Pushed put(const Descriptor& blob, const std::filesystem::path& file);
  Pushed put(const Descriptor& blob, std::string_view content);

  /// Blobs that were put are on disk, names too.
  void sync() const;

 private:
  os::File open(const Descriptor& blob) const;
  Pushed store(const Descriptor& blob, const std::function<void(const Sink&)>& fill);

  std::filesystem::path directory_;
  std::mutex preparing_;
  bool prepared_ = false;
};

void sync_folder(const std::filesystem::path& folder);

}  // namespace seed::oci
