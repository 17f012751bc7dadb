#include "image/unpack.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "image/layer_read.hpp"
#include "image/untar.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"
#include "os/parallel.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

/// setuid and setgid mean nothing without owners, which are not applied.
mode_t safe_mode(std::uint32_t mode) {
  return static_cast<mode_t>(mode & 01777);
}

std::array<timespec, 2> times(std::int64_t mtime) {
  timespec time{};
  time.tv_sec = mtime;
  return {time, time};
}

}  // namespace

/// Makes what the reader finds. Every folder is opened from its parent without following links, and
/// stays open while entries below it come: a name can't lead out of `root`, whatever the tar says
/// and whoever changes the tree meanwhile.
struct TarExtractor::State final : TarHandler {
  explicit State(fs::path path) : root_path(std::move(path)), reader(*this) {
    root = os::Fd(::open(root_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (root.get() < 0) {
      os::throw_errno("opening", root_path);
    }
  }

  void entry(const TarEntry& entry) override;

  void data(ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
      if (count < 0 && errno != EINTR) {
        os::throw_errno("writing", file_path);
      }
      bytes = bytes.subspan(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
  }

  void end_data() override {
    if (::fchmod(file.get(), safe_mode(current.mode)) != 0 ||
        ::futimens(file.get(), times(current.mtime).data()) != 0) {
      os::throw_errno("setting the mode of", file_path);
    }
    file = os::Fd();
  }

  int enter(std::string_view folder);
  void make_directory(int parent, const std::string& name, const TarEntry& entry);
  void make_file(int parent, const std::string& name);
  void make_symlink(int parent, const std::string& name, const TarEntry& entry);
  void remove_other(int parent, const std::string& name);
  void apply_directory_modes();

  fs::path root_path;
  TarReader reader;
  os::Fd root;
  std::vector<std::pair<std::string, os::Fd>> open_folders;
  std::map<std::string, std::pair<mode_t, std::int64_t>> folder_modes;
  TarEntry current;
  os::Fd file;
  fs::path file_path;
};

/// The open folder at `folder`; makes what is missing, as every unpacker does.
int TarExtractor::State::enter(std::string_view folder) {
  std::vector<std::string_view> parts;
  if (!folder.empty()) {
    parts = split(folder, '/');
  }
  std::size_t depth = 0;
  while (depth < parts.size() && depth < open_folders.size() &&
         open_folders[depth].first == parts[depth]) {
    ++depth;
  }
  open_folders.erase(open_folders.begin() + static_cast<std::ptrdiff_t>(depth), open_folders.end());
  for (; depth < parts.size(); ++depth) {
    const int parent = depth == 0 ? root.get() : open_folders.back().second.get();
    const std::string name(parts[depth]);
    constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    os::Fd fd(::openat(parent, name.c_str(), kFlags));
    if (fd.get() < 0 && errno == ENOENT) {
      // The second call is for what the umask took away.
      if ((::mkdirat(parent, name.c_str(), 0755) != 0 && errno != EEXIST) ||
          ::fchmodat(parent, name.c_str(), 0755, 0) != 0) {
        os::throw_errno("creating the folder", root_path / folder);
      }
      fd = os::Fd(::openat(parent, name.c_str(), kFlags));
    }
    if (fd.get() < 0 && (errno == ELOOP || errno == ENOTDIR)) {
      throw FormatError(fmt::format("'{}' in a tar leads through something that is no folder",
                                    printable(folder)));
    }
    if (fd.get() < 0) {
      os::throw_errno("opening", root_path / folder);
    }
    open_folders.emplace_back(name, std::move(fd));
  }
  return parts.empty() ? root.get() : open_folders.back().second.get();
}

void TarExtractor::State::remove_other(int parent, const std::string& name) {
  if (::unlinkat(parent, name.c_str(), 0) != 0) {
    if (errno == EISDIR || errno == EPERM) {
      throw FormatError(fmt::format("'{}' in a tar replaces a folder", printable(current.path)));
    }
    os::throw_errno("removing", file_path);
  }
}

void TarExtractor::State::make_directory(int parent,
                                         const std::string& name,
                                         const TarEntry& entry) {
  // Writable for us until everything is in it.
  if (::mkdirat(parent, name.c_str(), 0700) != 0) {
    struct stat info{};
    if (errno != EEXIST || ::fstatat(parent, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      os::throw_errno("creating the folder", file_path);
    }
    if (!S_ISDIR(info.st_mode)) {
      throw FormatError(
          fmt::format("'{}' in a tar replaces something that is no folder", printable(entry.path)));
    }
  }
  folder_modes.insert_or_assign(entry.path, std::pair(safe_mode(entry.mode), entry.mtime));
}

void TarExtractor::State::make_file(int parent, const std::string& name) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  file = os::Fd(::openat(parent, name.c_str(), kFlags, 0600));
  if (file.get() < 0 && errno == EEXIST) {
    remove_other(parent, name);
    file = os::Fd(::openat(parent, name.c_str(), kFlags, 0600));
  }
  if (file.get() < 0) {
    os::throw_errno("creating", file_path);
  }
}

void TarExtractor::State::make_symlink(int parent, const std::string& name, const TarEntry& entry) {
  int result = ::symlinkat(entry.link.c_str(), parent, name.c_str());
  if (result != 0 && errno == EEXIST) {
    remove_other(parent, name);
    result = ::symlinkat(entry.link.c_str(), parent, name.c_str());
  }
  if (result != 0) {
    os::throw_errno("creating", file_path);
  }
  ::utimensat(parent, name.c_str(), times(entry.mtime).data(), AT_SYMLINK_NOFOLLOW);
}

void TarExtractor::State::entry(const TarEntry& entry) {
  current = entry;
  file_path = root_path / entry.path;
  if (entry.path.empty()) {  // "./": the root is the caller's
    return;
  }
  const std::size_t slash = entry.path.rfind('/');
  const std::string name = entry.path.substr(slash + 1);
  if (name.starts_with(".wh.")) {
    throw FormatError(
        fmt::format("'{}' in a tar is a deletion; seeds have none", printable(entry.path)));
  }
  const int parent =
      enter(slash == std::string::npos ? "" : std::string_view(entry.path).substr(0, slash));
  switch (entry.kind) {
    case TarEntry::Kind::directory:
      return make_directory(parent, name, entry);
    case TarEntry::Kind::file:
      return make_file(parent, name);
    case TarEntry::Kind::symlink:
      return make_symlink(parent, name, entry);
    case TarEntry::Kind::hard_link:
    case TarEntry::Kind::other:
      break;  // not in a seed: the reader has refused it
  }
}

/// Deepest first: a folder that is read-only, or not even ours to enter, is done with by then.
void TarExtractor::State::apply_directory_modes() {
  for (auto folder = folder_modes.rbegin(); folder != folder_modes.rend(); ++folder) {
    const auto& [path, mode] = *folder;
    file_path = root_path / path;
    const int fd = enter(path);
    if (::fchmod(fd, mode.first) != 0 || ::futimens(fd, times(mode.second).data()) != 0) {
      os::throw_errno("setting the mode of", file_path);
    }
  }
  folder_modes.clear();
  open_folders.clear();
}

TarExtractor::TarExtractor(fs::path root) : state_(std::make_unique<State>(std::move(root))) {}

TarExtractor::TarExtractor(TarExtractor&&) noexcept = default;
TarExtractor::~TarExtractor() = default;

void TarExtractor::write(ByteView bytes) {
  state_->reader.write(bytes);
}

void TarExtractor::finish() {
  finish_entries();
  apply_directory_modes();
}

void TarExtractor::finish_entries() {
  state_->reader.finish();
}

void TarExtractor::apply_directory_modes() {
  state_->apply_directory_modes();
}

namespace {

void unpack_layer(oci::Repository& repository,
                  const oci::Descriptor& layer,
                  const Digest& diff_id,
                  TarExtractor& extractor) {
  read_layer(repository, layer, diff_id, [&](ByteView bytes) { extractor.write(bytes); });
  extractor.finish_entries();
}

}  // namespace

void unpack_image(oci::Repository& repository,
                  const oci::Manifest& manifest,
                  std::span<const Digest> diff_ids,
                  const fs::path& root,
                  unsigned workers) {
  if (manifest.layers.size() != diff_ids.size()) {
    throw FormatError(fmt::format(
        "manifest has {} layers, its config {} diff_ids", manifest.layers.size(), diff_ids.size()));
  }
  os::make_dirs(root);
  std::vector<TarExtractor> extractors;
  for (std::size_t i = 0; i < diff_ids.size(); ++i) {
    extractors.emplace_back(root);
  }
  os::for_each_index(diff_ids.size(), workers, [&](std::size_t i) {
    while_doing("unpacking layer " + manifest.layers[i].digest.to_string(),
                [&] { unpack_layer(repository, manifest.layers[i], diff_ids[i], extractors[i]); });
  });
  // A folder of two layers stays writable until both are in it; the later layer's mode counts.
  for (TarExtractor& extractor : extractors) {
    extractor.apply_directory_modes();
  }
}

}  // namespace seed::image
