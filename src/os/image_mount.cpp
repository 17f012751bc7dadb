#include "os/image_mount.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"

namespace seed::os {
namespace {

/// What the kernel has to say of a mount, "e erofs: …" a line; nothing where it is silent.
std::string words_of_kernel(int context) {
  std::string words;
  std::array<char, 512> line{};
  for (ssize_t size = 0; (size = ::read(context, line.data(), line.size())) > 0;) {
    const std::string_view text(line.data(), static_cast<std::size_t>(size));
    if (text.starts_with("e ")) {
      words += fmt::format("; {}", trim(text.substr(2)));
    }
  }
  return printable(words);
}

[[noreturn]] void refuse(std::string_view step, int context = -1) {
  const int number = errno;
  throw Error(fmt::format("mounting an erofs image: {}: {}{}",
                          step,
                          strerrordesc_np(number),
                          context < 0 ? "" : words_of_kernel(context)));
}

struct Loop {
  Fd device;
  std::string path;
};

/// A loop device over `file` that is free again when nobody has it open or mounted.
Loop attach(const fs::path& file) {
  constexpr int kTries = 64;
  const Fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  const File backing = File::open_read(file);
  for (int i = 0; control.get() >= 0 && i < kTries; ++i) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) {
      break;
    }
    std::string path = fmt::format("/dev/loop{}", number);
    Fd device(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (device.get() < 0) {
      break;
    }
    loop_config config{};
    config.fd = static_cast<__u32>(backing.fd());
    config.info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR;
    if (::ioctl(device.get(), LOOP_CONFIGURE, &config) == 0) {
      return {std::move(device), std::move(path)};
    }
    if (errno != EBUSY) {  // else someone was faster
      break;
    }
  }
  refuse("taking a loop device");
}

}  // namespace

void leave_shared_mounts() {
  if (::unshare(CLONE_NEWNS) != 0) {
    throw_errno("making", "a mount namespace");
  }
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0) {
    throw_errno("keeping mounts from", "other namespaces");
  }
}

void mount_image(const ImageMount& mount, Backing backing, const fs::path& target) {
  std::vector<Loop> loops;  // open until the mount holds them
  const auto source_of = [&](const fs::path& file) {
    return backing == Backing::file ? file.string() : loops.emplace_back(attach(file)).path;
  };
  const Fd context(::fsopen("erofs", FSOPEN_CLOEXEC));
  if (context.get() < 0) {
    refuse("asking for the file system");
  }
  const auto set = [&](const char* key, const std::string& value) {
    if (::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value.c_str(), 0) != 0) {
      refuse(key, context.get());
    }
  };
  set("source", source_of(mount.image));
  for (const fs::path& device : mount.devices) {
    set("device", source_of(device));
  }
  if (::fsconfig(context.get(), FSCONFIG_SET_FLAG, "ro", nullptr, 0) != 0 ||
      ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    refuse("reading it", context.get());
  }
  const Fd made(::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV));
  if (made.get() < 0) {
    refuse("making the mount", context.get());
  }
  if (::move_mount(made.get(), "", AT_FDCWD, target.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0) {
    throw_errno("mounting on", target);
  }
}

void unmount(const fs::path& target) {
  if (::umount2(target.c_str(), MNT_DETACH) != 0) {
    throw_errno("unmounting", target);
  }
}

}  // namespace seed::os
