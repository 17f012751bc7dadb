#include "nix/tree.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"
#include "os/interrupt.hpp"

namespace seed::nix {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 1 << 20;

/// Every name is looked up in the folder that is open already, so that a renamed parent or a path
/// longer than PATH_MAX changes nothing.
class Walk {
 public:
  Walk(const fs::path& root, TreeVisitor& visitor) : root_(root), visitor_(visitor) {}

  void run() { node(AT_FDCWD, root_.c_str()); }

 private:
  fs::path full_path() const { return path_.empty() ? root_ : root_ / path_; }

  /// `name` in the folder `parent`; path_ is its path in the tree.
  void node(int parent, const char* name) {
    struct stat info{};
    if (::fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
      os::throw_errno("reading", full_path());
    }
    if (S_ISREG(info.st_mode)) {
      file(parent, name);
    } else if (S_ISDIR(info.st_mode)) {
      directory(parent, name);
    } else if (S_ISLNK(info.st_mode)) {
      symlink(parent, name);
    } else {
      throw Error(fmt::format("{} is neither a file, a folder nor a link", full_path().string()),
                  "sockets, pipes and devices have no place in a Nix store; remove it");
    }
  }

  /// O_NONBLOCK: a pipe that took the place of the file must not hold us up.
  os::Fd open(int parent, const char* name, int flags) {
    const int fd = ::openat(parent, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | flags);
    if (fd < 0) {
      os::throw_errno("opening", full_path());
    }
    return os::Fd(fd);
  }

  void file(int parent, const char* name) {
    os::check_interrupt();
    const os::Fd fd = open(parent, name, 0);
    struct stat info{};
    if (::fstat(fd.get(), &info) != 0) {
      os::throw_errno("reading", full_path());
    }
    if (!S_ISREG(info.st_mode)) {
      changed("was replaced");
    }
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    const auto size = static_cast<std::uint64_t>(info.st_size);
    visitor_.begin_file(path_, (info.st_mode & S_IXUSR) != 0, size);
    std::uint64_t left = size;
    while (const std::size_t count = read_piece(fd.get())) {
      if (count > left) {
        changed("grew");
      }
      left -= count;
      visitor_.file_data(std::span(buffer_).first(count));
    }
    if (left != 0) {
      changed("shrank");
    }
    visitor_.end_file();
  }

  std::size_t read_piece(int fd) {
    for (;;) {
      const ssize_t count = ::read(fd, buffer_.data(), buffer_.size());
      if (count >= 0) {
        return static_cast<std::size_t>(count);
      }
      if (errno != EINTR) {
        os::throw_errno("reading", full_path());
      }
    }
  }

  [[noreturn]] void changed(std::string_view how) const {
    throw Error(fmt::format("{} {} while it was read", full_path().string(), how),
                "stop what writes there and run the command again");
  }

  void symlink(int parent, const char* name) {
    std::string target(PATH_MAX, '\0');
    const ssize_t count = ::readlinkat(parent, name, target.data(), target.size());
    if (count < 0) {
      os::throw_errno("reading the link", full_path());
    }
    if (static_cast<std::size_t>(count) == target.size()) {
      throw Error(fmt::format("the target of the link {} is too long", full_path().string()));
    }
    target.resize(static_cast<std::size_t>(count));
    visitor_.symlink(path_, target);
  }

  void directory(int parent, const char* name) {
    const os::Fd fd = open(parent, name, O_DIRECTORY);
    visitor_.enter_directory(path_);
    const std::size_t length = path_.size();
    for (const std::string& entry : names(fd.get())) {
      path_ += length == 0 ? "" : "/";
      path_ += entry;
      node(fd.get(), entry.c_str());
      path_.resize(length);
    }
    visitor_.leave_directory(path_);
  }

  /// Sorted bytewise, as NAR has it: std::string compares as unsigned char whatever the locale.
  std::vector<std::string> names(int fd) const {
    os::Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    const Handle<DIR, ::closedir> stream{copy.get() < 0 ? nullptr : ::fdopendir(copy.get())};
    if (!stream) {
      os::throw_errno("reading the folder", full_path());
    }
    copy.release();
    std::vector<std::string> result;
    for (;;) {
      errno = 0;
      const dirent* entry = ::readdir(stream.get());
      if (entry == nullptr) {
        break;
      }
      const std::string_view entry_name = entry->d_name;
      if (entry_name != "." && entry_name != "..") {
        result.emplace_back(entry_name);
      }
    }
    if (errno != 0) {
      os::throw_errno("reading the folder", full_path());
    }
    std::ranges::sort(result);
    return result;
  }

  fs::path root_;
  TreeVisitor& visitor_;
  std::string path_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(kPieceBytes);
};

}  // namespace

void visit_tree(const fs::path& root, TreeVisitor& visitor) {
  Walk(root, visitor).run();
}

}  // namespace seed::nix
