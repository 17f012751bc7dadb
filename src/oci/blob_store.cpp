#include "oci/blob_store.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "os/fd.hpp"

namespace seed::oci {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// image-layout.md, "oci-layout file"
constexpr const char* kVersionFile = "oci-layout";
constexpr std::string_view kVersion = R"({"imageLayoutVersion":"1.0.0"})";
constexpr std::string_view kTempPrefix = ".tmp-";
constexpr std::size_t kReadBytes = 1 << 20;

void sync_file(const os::File& file) {
  if (::fsync(file.fd()) != 0) {
    os::throw_errno("syncing", file.path());
  }
}

/// A name for a blob on its way. It is locked from its birth under the layout's own lock, so a
/// later writer can tell it from one that a killed process left, and remove that.
class TempBlob {
 public:
  TempBlob(const fs::path& directory, const Digest& digest) {
    const os::FileLock lock(directory / ".lock");
    for (int n = 0;; ++n) {
      path_ = directory / fmt::format("{}{}-{}", kTempPrefix, digest.hex(), n);
      if (!fs::exists(fs::symlink_status(path_))) {
        break;
      }
    }
    file_ = os::File::create_new(path_);
    if (::flock(file_->fd(), LOCK_EX | LOCK_NB) != 0) {
      os::throw_errno("locking", path_);
    }
  }

  ~TempBlob() {
    if (!path_.empty()) {
      ::unlink(path_.c_str());
    }
  }

  TempBlob(const TempBlob&) = delete;
  TempBlob& operator=(const TempBlob&) = delete;

  os::File& file() { return *file_; }

  const fs::path& path() const { return path_; }

  void move_to(const fs::path& target) {
    if (::rename(path_.c_str(), target.c_str()) != 0) {
      os::throw_errno("writing", target);
    }
    path_.clear();
  }

  /// Under the layout's lock: removes what no living process writes.
  static void remove_stale(const fs::path& directory) {
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(directory, code)) {
      if (entry.path().filename().string().starts_with(kTempPrefix)) {
        const os::Fd fd(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
        if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
          ::unlink(entry.path().c_str());
        }
      }
    }
  }

 private:
  fs::path path_;
  std::optional<os::File> file_;
};

}  // namespace

/// Names survive a power cut only once their folder is on disk.
void sync_folder(const fs::path& folder) {
  const os::Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) {
    os::throw_errno("opening", folder);
  }
  if (::fsync(fd.get()) != 0) {
    os::throw_errno("syncing", folder);
  }
}

void BlobStore::check_version() const {
  const fs::path file = directory_ / kVersionFile;
  while_doing("reading " + file.string(), [&] {
    const json value = parse_json(os::read_file(file, 4096), 4096, kVersionFile);
    if (const std::string& version = string_member(value, "imageLayoutVersion");
        !version.starts_with("1.")) {
      throw FormatError(fmt::format("image layout version '{}' is unknown", printable(version)));
    }
  });
}

void BlobStore::prepare() {
  // Not std::call_once: where what it calls throws, the thread sanitizer waits for ever at the
  // next.
  const std::lock_guard guard(preparing_);
  if (prepared_) {
    return;
  }
  os::make_dirs(directory_);
  const bool fresh = !fs::exists(directory_ / kVersionFile);
  if (fresh) {
    for (const auto& entry : fs::directory_iterator(directory_)) {
      const std::string name = entry.path().filename();
      // What a writer that was killed, or one beside us, may have made first.
      if (name != ".lock" && !name.starts_with(kVersionFile) &&
          !fs::exists(directory_ / kVersionFile)) {
        throw UsageError(fmt::format("{} is not an image layout: it holds '{}' but no oci-layout",
                                     directory_.string(),
                                     printable(name)),
                         "name a folder that is empty, an image layout, or not there yet");
      }
    }
  }
  const os::FileLock lock(lock_path());
  if (!fs::exists(directory_ / kVersionFile)) {
    os::atomic_write(directory_ / kVersionFile, kVersion);
  }
  check_version();
  os::make_dirs(directory_ / "blobs" / "sha256");
  if (!fs::exists(directory_ / "index.json")) {
    os::atomic_write(directory_ / "index.json", to_json(Index{}));
  }
  TempBlob::remove_stale(directory_);
  prepared_ = true;
}

bool BlobStore::has(const Descriptor& blob) const {
  struct stat info{};
  return ::stat(path_of(blob.digest).c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         static_cast<std::uint64_t>(info.st_size) == blob.size_bytes;
}

os::File BlobStore::open(const Descriptor& blob) const {
  os::File file = os::File::open_read(path_of(blob.digest));
  if (const std::uint64_t size = file.size(); size != blob.size_bytes) {
    throw IntegrityError(
        fmt::format("{} has {} bytes instead of {}", file.path().string(), size, blob.size_bytes));
  }
  return file;
}

void BlobStore::get(const Descriptor& blob, const Sink& sink) const {
  os::File file = open(blob);
  Sha256 hash;
  std::vector<std::byte> buffer(std::min<std::uint64_t>(kReadBytes, blob.size_bytes + 1));
  while (const std::size_t count = file.read(buffer)) {
    const ByteView chunk = std::span(buffer).first(count);
    hash.update(chunk);
    if (hash.size_bytes() > blob.size_bytes) {
      break;
    }
    sink(chunk);
  }
  const std::uint64_t size = hash.size_bytes();
  if (const Digest digest = hash.finish(); size != blob.size_bytes || digest != blob.digest) {
    throw IntegrityError(
        fmt::format(
            "{} has other bytes than its name says: {}", file.path().string(), digest.to_string()),
        "remove the file and push again");
  }
}

void BlobStore::get_range(const Descriptor& blob,
                          std::uint64_t offset,
                          std::uint64_t length,
                          const Sink& sink) const {
  os::File file = open(blob);
  if (offset > blob.size_bytes || length > blob.size_bytes - offset) {
    throw Error(fmt::format("{} ends before byte {}", file.path().string(), offset + length));
  }
  file.seek(offset);
  std::vector<std::byte> buffer(std::min<std::uint64_t>(kReadBytes, length));
  while (length > 0) {
    const std::size_t count =
        file.read(std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), length)));
    if (count == 0) {
      throw IntegrityError(fmt::format("{} was cut short", file.path().string()));
    }
    sink(std::span(buffer).first(count));
    length -= count;
  }
}

Pushed BlobStore::store(const Descriptor& blob, const std::function<void(const Sink&)>& fill) {
  prepare();
  if (has(blob)) {
    return Pushed::already_there;
  }
  TempBlob temp(directory_, blob.digest);
  Sha256 hash;
  fill([&](ByteView bytes) {
    hash.update(bytes);
    temp.file().write(bytes);
  });
  const std::uint64_t size = hash.size_bytes();
  if (const Digest digest = hash.finish(); digest != blob.digest || size != blob.size_bytes) {
    throw IntegrityError(fmt::format("content is {} of {} bytes instead of {} of {} bytes",
                                     digest.to_string(),
                                     size,
                                     blob.digest.to_string(),
                                     blob.size_bytes));
  }
  sync_file(temp.file());
  temp.move_to(path_of(blob.digest));
  return Pushed::sent;
}

Pushed BlobStore::put(const Descriptor& blob, const fs::path& path) {
  prepare();
  if (has(blob)) {
    return Pushed::already_there;
  }
  os::File file = os::File::open_read(path);
  if (const std::uint64_t size = file.size(); size != blob.size_bytes) {
    throw IntegrityError(
        fmt::format("{} has {} bytes instead of {}", path.string(), size, blob.size_bytes));
  }
  sync_file(file);
  const fs::path target = path_of(blob.digest);
  if (::link(path.c_str(), target.c_str()) == 0) {
    return Pushed::sent;
  }
  // Another file system, a link limit, or a blob of the wrong size in its place.
  return store(blob, [&](const Sink& put) {
    std::vector<std::byte> buffer(kReadBytes);
    while (const std::size_t count = file.read(buffer)) {
      put(std::span(buffer).first(count));
    }
  });
}

Pushed BlobStore::put(const Descriptor& blob, std::string_view content) {
  return store(blob, [&](const Sink& put) { put(bytes_of(content)); });
}

void BlobStore::sync() const {
  sync_folder(directory_ / "blobs" / "sha256");
}

}  // namespace seed::oci
