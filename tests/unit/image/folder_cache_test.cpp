#include "image/folder_cache.hpp"

#include <chrono>
#include <filesystem>
#include <set>
#include <string>

#include "os/file.hpp"
#include "support/catch.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kFileBytes = 64 << 10;

/// A cache of folders that hold one file each.
struct Box {
  os::TempDir temp;
  fs::path parent = temp.path() / "seeds";

  void add(const std::string& name, int minutes_ago) const {
    os::make_dirs(parent / name / "nix");
    os::atomic_write(parent / name / "nix/file", std::string(kFileBytes, 'x'));
    const fs::path lock = lock_beside(parent / name);
    os::atomic_write(lock, "");
    fs::last_write_time(lock, fs::file_time_type::clock::now() - std::chrono::minutes(minutes_ago));
  }

  std::set<std::string> folders() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(parent)) {
      if (entry.is_directory()) {
        names.insert(entry.path().filename());
      }
    }
    return names;
  }
};

using Names = std::set<std::string>;

TEST_CASE("what was used longest ago goes until the rest fits") {
  const Box box;
  box.add("old", 3);
  box.add("older", 5);
  box.add("new", 1);
  // a folder takes room too, so the limit is a little more than its files
  trim_folders(box.parent, 4 * kFileBytes);
  CHECK(box.folders() == Names{"new", "old", "older"});
  trim_folders(box.parent, 2 * kFileBytes + kFileBytes / 2);
  CHECK(box.folders() == Names{"new", "old"});
  mark_used(lock_beside(box.parent / "old"));
  trim_folders(box.parent, kFileBytes + kFileBytes / 2);
  CHECK(box.folders() == Names{"old"});
  trim_folders(box.parent, 0);
  CHECK(box.folders().empty());
}

TEST_CASE("a folder in use stays") {
  const Box box;
  box.add("old", 3);
  box.add("new", 1);
  {
    const os::FileLock one(lock_beside(box.parent / "old"), os::Lock::shared);
    const os::FileLock two(lock_beside(box.parent / "old"), os::Lock::shared);
    trim_folders(box.parent, 0);
    CHECK(box.folders() == Names{"old"});
  }
  trim_folders(box.parent, 0);
  CHECK(box.folders().empty());
}

TEST_CASE("what a killed run left goes, unless somebody is at it") {
  const Box box;
  box.add("seed", 1);
  box.add("half.partial", 1);
  {
    const os::FileLock unpacking(lock_beside(box.parent / "half"));
    trim_folders(box.parent, 1 << 30);
    CHECK(box.folders() == Names{"half.partial", "seed"});
  }
  trim_folders(box.parent, 1 << 30);
  CHECK(box.folders() == Names{"seed"});
}

TEST_CASE("a link in the place of a folder is not followed") {
  const Box box;
  box.add("seed", 1);
  os::make_dirs(box.temp.path() / "elsewhere");
  fs::create_directory_symlink(box.temp.path() / "elsewhere", box.parent / "link");
  trim_folders(box.parent, 0);
  CHECK(fs::exists(box.temp.path() / "elsewhere"));
  CHECK(fs::is_symlink(box.parent / "link"));
}

}  // namespace
}  // namespace seed::image
