#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace seed::os {

namespace fs = std::filesystem;

/// How the kernel reads the files behind a mount: as they are (Linux 6.12), or through a loop
/// device for each, which goes with the mount.
enum class Backing { file, loop };

/// An EROFS image and the files that its device table numbers, in order. Paths through
/// /proc/self/fd name exactly the file that is open there.
struct ImageMount {
  fs::path image;
  std::vector<fs::path> devices;
};

/// Gives the calling thread, and what it starts from now on, a mount namespace of its own: mounts
/// made in it are seen nowhere else and are gone when its last process is, however it ends. Others'
/// mounts still appear in it. Needs root.
void leave_shared_mounts();

/// Mounts read-only on the folder `target`. Throws Error with the kernel's own words.
void mount_image(const ImageMount& mount, Backing backing, const fs::path& target);

/// What is mounted there is gone from here at once, and from the kernel when nobody uses it.
void unmount(const fs::path& target);

}  // namespace seed::os
