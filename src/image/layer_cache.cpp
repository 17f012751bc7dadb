#include "image/layer_cache.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "image/layer_read.hpp"
#include "os/interrupt.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPartial = ".partial";
constexpr const char* kTar = ".tar";
constexpr const char* kBlob = ".blob";
constexpr const char* kToc = ".toc";

struct stat status_of(const os::File& file) {
  struct stat status{};
  if (::fstat(file.fd(), &status) != 0) {
    os::throw_errno("reading the state of", file.path());
  }
  return status;
}

bool is_still_at(const os::File& file, const fs::path& path) {
  struct stat there{};
  const struct stat here = status_of(file);
  return ::lstat(path.c_str(), &there) == 0 && there.st_ino == here.st_ino &&
         there.st_dev == here.st_dev;
}

std::optional<os::File> open_if_there(const fs::path& path) {
  std::error_code ignored;
  // A link would lead to a file that this cache does not lock.
  if (!fs::is_regular_file(fs::symlink_status(path, ignored))) {
    fs::remove(path, ignored);
    return std::nullopt;
  }
  return os::File::open_read(path);
}

/// Whether the file is the tar it is named for.
bool is_whole(os::File& file, const Digest& diff_id, TarHandler& handler) {
  Bytes buffer(1 << 20);
  Sha256 hash;
  TarReader reader(handler);
  try {
    while (const std::size_t size = file.read(buffer)) {
      os::check_interrupt();
      const ByteView bytes = std::span(buffer).first(size);
      hash.update(bytes);
      reader.write(bytes);
    }
    reader.finish();
  } catch (const FormatError&) {
    return false;  // it was a tar when it came
  }
  return hash.finish() == diff_id;
}

/// When it was used last is its mtime: what a trim goes by.
void mark_used(const os::File& file) {
  ::futimens(file.fd(), nullptr);
}

struct Kept {
  fs::path path;
  timespec used{};
  std::uint64_t size_bytes = 0;
};

}  // namespace

LayerCache::LayerCache(fs::path folder) : folder_(std::move(folder)) {
  os::make_dirs(folder_ / "locks");
}

fs::path LayerCache::path_of(const Digest& diff_id) const {
  return folder_ / (diff_id.hex() + kTar);
}

/// One lock for many layers, so that their number has a bound and none is ever removed.
fs::path LayerCache::lock_of(const std::string& hex) const {
  return folder_ / "locks" / hex.substr(0, 2);
}

CachedTar LayerCache::get(oci::Repository& repository,
                          const oci::Descriptor& layer,
                          const Digest& diff_id,
                          TarHandler& handler) {
  const fs::path path = path_of(diff_id);
  bool was_damaged = false;
  for (;;) {
    std::optional<os::File> file;
    {
      const os::FileLock lock(lock_of(diff_id.hex()));
      file = open_if_there(path);
      if (!file) {
        CachedTar tar = fetch(repository, layer, diff_id, handler);
        tar.was_damaged = was_damaged;
        return tar;
      }
      os::try_lock(*file, os::Lock::shared);  // a trim has it only with the lock above
    }
    if (is_whole(*file, diff_id, handler)) {
      mark_used(*file);
      const std::uint64_t size = file->size();
      return {.file = std::move(*file), .size_bytes = size, .was_damaged = was_damaged};
    }
    const os::FileLock lock(lock_of(diff_id.hex()));
    was_damaged = true;
    if (is_still_at(*file, path)) {
      fs::remove(path);
    }
  }
}

CachedTar LayerCache::fetch(oci::Repository& repository,
                            const oci::Descriptor& layer,
                            const Digest& diff_id,
                            TarHandler& handler) {
  const fs::path partial = folder_ / (diff_id.hex() + kPartial);
  std::error_code ignored;
  fs::remove(partial, ignored);  // of a run that was killed
  os::File file = os::File::create_new(partial, 0600);
  try {
    TarReader reader(handler);
    read_layer(repository, layer, diff_id, [&](ByteView bytes) {
      os::check_interrupt();
      reader.write(bytes);
      file.write(bytes);
    });
    reader.finish();
  } catch (...) {
    fs::remove(partial, ignored);
    throw;
  }
  CachedTar tar{.file = file.reopen_read(), .size_bytes = file.size(), .fetched = true};
  file.close();
  os::try_lock(tar.file, os::Lock::shared);
  fs::rename(partial, path_of(diff_id));
  return tar;
}

Bytes LayerCache::toc(oci::Repository& repository,
                      const oci::Descriptor& layer,
                      const TocPlace& place) {
  const std::string hex = layer.digest.hex();
  const fs::path path = folder_ / (hex + kToc);
  const os::FileLock lock(lock_of(hex));
  if (const auto file = open_if_there(path); file && file->size() == place.size_bytes) {
    Bytes bytes(place.size_bytes);
    if (file->read_at(bytes, 0) == bytes.size() && Digest::of(bytes) == place.digest) {
      mark_used(*file);
      return bytes;
    }
  }
  Bytes bytes;
  repository.get_blob_range(
      layer, layer.size_bytes - place.size_bytes, place.size_bytes, [&](ByteView part) {
        bytes.insert(bytes.end(), part.begin(), part.end());
      });
  if (const Digest found = Digest::of(bytes); found != place.digest) {
    throw IntegrityError(fmt::format("the table of contents of layer {} is {} instead of {}",
                                     layer.digest.to_string(),
                                     found.to_string(),
                                     place.digest.to_string()));
  }
  os::atomic_write(path, text_of(bytes), 0600);
  return bytes;
}

os::File LayerCache::open_blob(const oci::Descriptor& layer) {
  const std::string hex = layer.digest.hex();
  const fs::path path = folder_ / (hex + kBlob);
  const os::FileLock lock(lock_of(hex));
  open_if_there(path);  // removes what is no file
  os::File file = os::File::open_shared(path, 0600);
  os::try_lock(file, os::Lock::shared);  // a trim has it only with the lock above
  mark_used(file);
  return file;
}

/// Only where nobody is about to use it (its lock) or does (the file's).
void LayerCache::evict(const fs::path& path) {
  const auto lock = os::FileLock::try_take(lock_of(path.stem().string()));
  if (!lock) {
    return;
  }
  if (const auto file = open_if_there(path); file && os::try_lock(*file, os::Lock::exclusive)) {
    fs::remove(path);
  }
}

void LayerCache::trim(std::uint64_t limit_bytes) {
  std::vector<Kept> tars;
  std::uint64_t total = 0;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    struct stat status{};
    if (::lstat(entry.path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
      continue;
    }
    if (entry.path().extension() == kPartial) {
      evict(entry.path());
    } else if (const fs::path kind = entry.path().extension();
               kind == kTar || kind == kBlob || kind == kToc) {
      const auto size = static_cast<std::uint64_t>(status.st_blocks) * 512;  // blobs have holes
      tars.push_back({entry.path(), status.st_mtim, size});
      total += size;
    }
  }
  std::ranges::sort(tars, {}, [](const Kept& tar) {
    return std::tuple(tar.used.tv_sec, tar.used.tv_nsec, tar.path);
  });
  for (auto tar = tars.begin(); tar != tars.end() && total > limit_bytes; ++tar) {
    evict(tar->path);
    if (!fs::exists(tar->path)) {
      total -= tar->size_bytes;
    }
  }
}

}  // namespace seed::image
