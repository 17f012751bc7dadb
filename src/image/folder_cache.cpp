#include "image/folder_cache.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include <sys/stat.h>

namespace seed::image {
namespace {

namespace fs = std::filesystem;

struct Kept {
  fs::path folder;
  fs::file_time_type used;
  std::uint64_t size_bytes = 0;
};

/// What the files below take on the disk. Others may write there meanwhile: what vanishes is not
/// counted.
std::uint64_t size_on_disk(const fs::path& folder) {
  std::uint64_t blocks = 0;
  std::error_code code;
  auto entry =
      fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied, code);
  for (; !code && entry != fs::recursive_directory_iterator(); entry.increment(code)) {
    struct stat status{};
    if (::lstat(entry->path().c_str(), &status) == 0) {
      blocks += static_cast<std::uint64_t>(status.st_blocks);
    }
  }
  return blocks * 512;  // stat(2): whatever the file system's blocks are
}

fs::file_time_type last_use_of(const fs::path& folder) {
  std::error_code code;
  const auto time = fs::last_write_time(lock_beside(folder), code);
  return code ? fs::file_time_type::min() : time;
}

/// Whether it is gone. It goes under another name first: a run killed in the middle leaves no half
/// of a folder that the next one takes for whole.
bool remove_unused(const fs::path& folder) {
  const auto lock = os::FileLock::try_take(lock_beside(folder));
  if (!lock) {
    return false;
  }
  const fs::path doomed = folder.string() + ".partial";
  os::remove_tree(doomed);
  fs::rename(folder, doomed);
  os::remove_tree(doomed);
  return true;
}

void remove_partial(const fs::path& partial) {
  fs::path folder = partial;
  if (const auto lock = os::FileLock::try_take(lock_beside(folder.replace_extension()))) {
    os::remove_tree(partial);
  }
}

}  // namespace

fs::path lock_beside(const fs::path& folder) {
  return folder.string() + ".lock";
}

void mark_used(const fs::path& lock) {
  std::error_code ignored;  // a folder that looks older than it is may go early, no more
  fs::last_write_time(lock, fs::file_time_type::clock::now(), ignored);
}

void trim_folders(const fs::path& parent, std::uint64_t limit_bytes) {
  std::vector<Kept> folders;
  std::uint64_t total = 0;
  for (const auto& entry : fs::directory_iterator(parent)) {
    if (entry.is_symlink() || !entry.is_directory()) {
      continue;
    }
    if (entry.path().extension() == ".partial") {
      remove_partial(entry.path());
      continue;
    }
    folders.push_back({entry.path(), last_use_of(entry.path()), size_on_disk(entry.path())});
    total += folders.back().size_bytes;
  }
  std::ranges::sort(
      folders, {}, [](const Kept& kept) { return std::tuple(kept.used, kept.folder); });
  for (auto kept = folders.begin(); kept != folders.end() && total > limit_bytes; ++kept) {
    if (remove_unused(kept->folder)) {
      total -= kept->size_bytes;
    }
  }
}

}  // namespace seed::image
