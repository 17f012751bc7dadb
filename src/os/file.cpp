#include "os/file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "os/interrupt.hpp"

namespace seed::os {
namespace {

int open_or_throw(const fs::path& path, int flags, mode_t mode, std::string_view doing) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) {
    throw_errno(doing, path);
  }
  return fd;
}

void remove_entry(int parent, const char* name, const fs::path& root);

/// Everything in the folder `name` of `parent`.
void empty_folder(int parent, const char* name, const fs::path& root) {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const Handle<DIR, ::closedir> stream{fd < 0 ? nullptr : ::fdopendir(fd)};
  if (!stream) {
    throw_errno("removing", root);
  }
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view entry_name = entry->d_name;
    if (entry_name != "." && entry_name != "..") {
      names.emplace_back(entry_name);
    }
  }
  for (const std::string& entry : names) {
    remove_entry(fd, entry.c_str(), root);
  }
}

/// By descriptor, so that a link put in a folder's place is not followed and depth does not matter.
void remove_entry(int parent, const char* name, const fs::path& root) {
  struct stat info{};
  if (::fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    throw_errno("removing", root);
  }
  const bool folder = S_ISDIR(info.st_mode);
  if (folder) {
    if ((info.st_mode & S_IRWXU) != S_IRWXU) {
      // An entry can only be unlinked from a folder that its owner may write.
      ::fchmodat(parent, name, S_IRWXU, 0);
    }
    empty_folder(parent, name, root);
  }
  if (::unlinkat(parent, name, folder ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT) {
    throw_errno("removing", root);
  }
}

}  // namespace

void throw_errno(std::string_view doing, const fs::path& path) {
  const int number = errno;
  std::string hint;
  if (number == ENOSPC || number == EDQUOT) {
    hint = "free some space there, or point NIX_SEED_CACHE and TMPDIR at a larger disk";
  } else if (number == EACCES || number == EPERM) {
    hint = "check the owner and mode of the path, or run as the user who owns it";
  }
  throw Error(fmt::format("{} {}: {}", doing, path.string(), strerrordesc_np(number)), hint);
}

File File::open_read(const fs::path& path) {
  return {open_or_throw(path, O_RDONLY, 0, "opening"), path};
}

File File::create(const fs::path& path, mode_t mode) {
  return {open_or_throw(path, O_RDWR | O_CREAT | O_TRUNC, mode, "creating"), path};
}

File File::open_append(const fs::path& path, mode_t mode) {
  return {open_or_throw(path, O_RDWR | O_CREAT | O_APPEND, mode, "opening"), path};
}

File File::create_new(const fs::path& path, mode_t mode) {
  return {open_or_throw(path, O_RDWR | O_CREAT | O_EXCL, mode, "creating"), path};
}

File File::open_shared(const fs::path& path, mode_t mode) {
  return {open_or_throw(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode, "opening"), path};
}

File File::create_unnamed(const fs::path& folder) {
  int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0) {  // not every file system can
    std::string name = folder / "unnamed.XXXXXX";
    fd = ::mkostemp(name.data(), O_CLOEXEC);
    if (fd < 0) {
      throw_errno("creating a file in", folder);
    }
    ::unlink(name.c_str());
  }
  return {fd, folder / "unnamed"};
}

File File::reopen_read() const {
  return {open_or_throw(fmt::format("/proc/self/fd/{}", fd()), O_RDONLY, 0, "opening"), path_};
}

std::uint64_t File::size() const {
  struct stat info{};
  if (::fstat(fd(), &info) != 0) {
    throw_errno("reading the size of", path_);
  }
  return static_cast<std::uint64_t>(info.st_size);
}

std::size_t File::read_at(std::span<std::byte> buffer, std::uint64_t offset) const {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t count = ::pread(
        fd(), buffer.data() + done, buffer.size() - done, static_cast<off_t>(offset + done));
    if (count == 0) {
      break;
    }
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      throw_errno("reading", path_);
    }
  }
  return done;
}

void File::write_at(ByteView bytes, std::uint64_t offset) const {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    } else if (errno != EINTR) {
      throw_errno("writing", path_);
    }
  }
}

std::size_t File::read(std::span<std::byte> buffer) {
  for (;;) {
    const ssize_t count = ::read(fd(), buffer.data(), buffer.size());
    if (count >= 0) {
      return static_cast<std::size_t>(count);
    }
    if (errno != EINTR) {
      throw_errno("reading", path_);
    }
  }
}

void File::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd(), bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw_errno("writing", path_);
    }
  }
}

void File::seek(std::uint64_t offset) {
  if (::lseek(fd(), static_cast<off_t>(offset), SEEK_SET) < 0) {
    throw_errno("seeking in", path_);
  }
}

void File::close() {
  if (::close(fd_.release()) != 0) {
    throw_errno("closing", path_);
  }
}

std::string read_file(const fs::path& path, std::uint64_t limit_bytes) {
  File file = File::open_read(path);
  return while_doing("reading " + path.string(), [&] {
    return read_all([&](std::span<std::byte> buffer) { return file.read(buffer); }, limit_bytes);
  });
}

void atomic_write(const fs::path& path, std::string_view text, mode_t mode) {
  std::string name = path.string() + ".XXXXXX";
  Fd fd(::mkostemp(name.data(), O_CLOEXEC));
  if (!fd) {
    throw_errno("creating", name);
  }

  // On any failure the temporary file goes too.
  struct Remove {
    const std::string* name;

    ~Remove() {
      if (name != nullptr) {
        ::unlink(name->c_str());
      }
    }
  } remove{&name};

  ByteView rest = bytes_of(text);
  while (!rest.empty()) {
    const ssize_t count = ::write(fd.get(), rest.data(), rest.size());
    if (count >= 0) {
      rest = rest.subspan(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      throw_errno("writing", path);
    }
  }
  if (::fchmod(fd.get(), mode) != 0) {
    throw_errno("setting the mode of", path);
  }
  if (::fsync(fd.get()) != 0) {
    throw_errno("writing", path);
  }
  if (::close(fd.release()) != 0) {
    throw_errno("closing", path);
  }
  if (::rename(name.c_str(), path.c_str()) != 0) {
    throw_errno("writing", path);
  }
  remove.name = nullptr;
}

void make_dirs(const fs::path& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) {
    errno = code.value();
    throw_errno("creating the folder", path);
  }
}

void remove_tree(const fs::path& path) {
  struct stat info{};
  if (::fstatat(AT_FDCWD, path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) {
      return;
    }
    throw_errno("removing", path);
  }
  remove_entry(AT_FDCWD, path.c_str(), path);
}

TempDir::TempDir(const fs::path& parent) {
  const char* tmpdir = std::getenv("TMPDIR");
  const fs::path base =
      !parent.empty() ? parent : fs::path(tmpdir != nullptr && *tmpdir != '\0' ? tmpdir : "/tmp");
  std::string name = base / "nix-seed-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    throw_errno("creating a temporary folder in", base);
  }
  path_ = name;
}

TempDir::TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TempDir::~TempDir() {
  if (!path_.empty()) {
    try {
      remove_tree(path_);
    } catch (const Error&) {
      // A leftover in TMPDIR is no reason to hide the error that brought us here.
    }
  }
}

bool try_lock(const File& file, Lock kind) {
  while (::flock(file.fd(), (kind == Lock::shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return false;
    }
    if (errno != EINTR) {
      throw_errno("locking", file.path());
    }
  }
  return true;
}

FileLock::FileLock(const fs::path& path, Lock kind) : file_(File::create(path)) {
  // A thread that waits in flock(2) does not hear of signals, which another one takes.
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 20'000'000};
  while (!try_lock(file_, kind)) {
    check_interrupt();
    ::nanosleep(&kPause, nullptr);
  }
}

RangeLock::RangeLock(const File& file, std::uint64_t offset, std::uint64_t size_bytes)
    : file_(file), offset_(offset), size_bytes_(size_bytes) {
  constexpr timespec kPause{.tv_sec = 0, .tv_nsec = 5'000'000};
  while (!set(F_WRLCK)) {
    check_interrupt();
    ::nanosleep(&kPause, nullptr);
  }
}

RangeLock::~RangeLock() {
  set(F_UNLCK);
}

/// Of the open file, not of the process (fcntl(2), "Open file description locks").
bool RangeLock::set(short type) const {
  struct flock range{};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(offset_);
  range.l_len = static_cast<off_t>(size_bytes_);
  if (::fcntl(file_.fd(), F_OFD_SETLK, &range) == 0) {
    return true;
  }
  if (type != F_UNLCK && errno != EAGAIN && errno != EACCES) {
    throw_errno("locking", file_.path());
  }
  return false;
}

std::optional<FileLock> FileLock::try_take(const fs::path& path) {
  File file = File::create(path);
  return try_lock(file, Lock::exclusive) ? std::optional(FileLock(std::move(file))) : std::nullopt;
}

}  // namespace seed::os
