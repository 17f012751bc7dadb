#include "os/root_view.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"

namespace seed::os {
namespace {

std::string hint_for(int number, const char* type) {
  if (number == EPERM || number == EACCES) {
    return "run as root, or allow unprivileged user namespaces "
           "(sysctl kernel.unprivileged_userns_clone, "
           "kernel.apparmor_restrict_unprivileged_userns)";
  }
  if (number == EINVAL && type != nullptr && std::string_view(type) == "overlay") {
    return "writes can't be kept on an overlay or a network file system: set TMPDIR to a folder on "
           "a local disk, or to a tmpfs";
  }
  return {};
}

void do_mount(const char* source,
              const fs::path& target,
              const char* type,
              unsigned long flags,
              const std::string& data = {}) {
  if (::mount(source, target.c_str(), type, flags, data.empty() ? nullptr : data.c_str()) != 0) {
    const int number = errno;
    throw Error(fmt::format("mounting {} on {}: {}",
                            type != nullptr ? type : (source != nullptr ? source : "nothing"),
                            target.string(),
                            strerrordesc_np(number)),
                hint_for(number, type));
  }
}

void write_text(const char* path, const std::string& text) {
  const Fd fd(::open(path, O_WRONLY | O_CLOEXEC));
  if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw_errno("writing", path);
  }
}

void unshare_all(const RootView& view) {
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  int flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC;
  flags |= view.network == Network::none ? CLONE_NEWNET : 0;
  flags |= uid != 0 ? CLONE_NEWUSER : 0;
  if (::unshare(flags) != 0) {
    throw Error(fmt::format("making namespaces: {}", strerrordesc_np(errno)),
                "run as root, or allow unprivileged user namespaces");
  }
  if (uid != 0) {
    write_text("/proc/self/setgroups", "deny");
    write_text("/proc/self/uid_map", fmt::format("0 {} 1", uid));
    write_text("/proc/self/gid_map", fmt::format("0 {} 1", gid));
  }
}

/// In a new network namespace even loopback is down, and builds may use it.
void raise_loopback() {
  const Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) {
    return;
  }
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", IFNAMSIZ - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  ::ioctl(fd.get(), SIOCSIFFLAGS, &request);
}

/// Commas and colons separate options and layers of an overlay mount.
std::string escaped(const fs::path& path) {
  std::string text;
  for (const char c : path.string()) {
    if (c == ':' || c == ',' || c == '\\') {
      text += '\\';
    }
    text += c;
  }
  return text;
}

bool in_user_namespace() {
  const std::string map = read_file("/proc/self/uid_map", 4096);
  return map.find("4294967295") == std::string::npos;
}

constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";

/// An unsynced mount leaves a mark, for which the kernel refuses its folders from then on
/// (overlayfs.rst, "Volatile mount"): what was written may be lost, but only by a crash.
void clear_mark(const fs::path& upper) {
  if (fs::exists(upper / "work/work/incompat/volatile")) {
    const fs::path boot = upper / "boot";
    if (!fs::exists(boot) || read_file(boot, 64) != read_file(kBootId, 64)) {
      remove_tree(upper / "data");
    }
    remove_tree(upper / "work");
  }
}

}  // namespace

void mount_overlay(const fs::path& lower,
                   const fs::path& upper,
                   const fs::path& target,
                   Writes writes) {
  clear_mark(upper);
  make_dirs(upper / "data");
  make_dirs(upper / "work");
  make_dirs(target);
  // A lower folder may be another mount of the same content the next time: an index of its files'
  // handles, which some kernels keep by default, would not fit it.
  // Attributes trusted.* are the initial namespace's alone.
  const std::string options = fmt::format("index=off,lowerdir={},upperdir={},workdir={}{}",
                                          escaped(lower),
                                          escaped(upper / "data"),
                                          escaped(upper / "work"),
                                          in_user_namespace() ? ",userxattr" : "");
  atomic_write(upper / "boot", read_file(kBootId, 64));
  if (writes != Writes::unsynced ||  // Linux has "volatile" since 5.10
      ::mount("overlay", target.c_str(), "overlay", 0, (options + ",volatile").c_str()) != 0) {
    do_mount("overlay", target, "overlay", 0, options);
  }
}

namespace {

/// Where the old root is while the view is put together; everything below is done inside the new
/// root, so that a link in a seed can lead nowhere else.
const fs::path kOldRoot = "/.old";

fs::path outside(const fs::path& path) {
  return kOldRoot / path.relative_path();
}

void bind(const fs::path& from, const fs::path& target, bool writable) {
  if (fs::is_directory(from)) {
    make_dirs(target);
  } else {
    make_dirs(target.parent_path());
    if (!fs::exists(target)) {
      File::create_new(target);
    }
  }
  do_mount(from.c_str(), target, nullptr, MS_BIND | MS_REC);
  if (!writable) {
    // In a user namespace a remount must keep the flags that the mount came with.
    if (::mount(nullptr, target.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0 &&
        ::mount(nullptr,
                target.c_str(),
                nullptr,
                MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV,
                nullptr) != 0) {
      throw_errno("making read-only", target);
    }
  }
}

void make_devices() {
  do_mount("tmpfs", "/dev", "tmpfs", MS_NOSUID, "mode=0755,size=64m");
  make_dirs("/dev/shm");
  for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
    const fs::path device = fs::path("/dev") / name;
    if (fs::exists(outside(device))) {
      bind(outside(device), device, true);
    }
  }
  // Nix runs every builder on a terminal of its own.
  make_dirs("/dev/pts");
  do_mount(
      "devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
  std::error_code ignored;
  fs::create_symlink("pts/ptmx", "/dev/ptmx", ignored);
  fs::create_symlink("/proc/self/fd", "/dev/fd", ignored);
  fs::create_symlink("/proc/self/fd/0", "/dev/stdin", ignored);
  fs::create_symlink("/proc/self/fd/1", "/dev/stdout", ignored);
  fs::create_symlink("/proc/self/fd/2", "/dev/stderr", ignored);
}

/// Covers `upper` with a tmpfs that nobody else sees. Overlays mark folders by attributes; of those
/// that a user namespace may set, a tmpfs takes none before Linux 6.6, and the disk stays in use.
void hold_in_memory(const fs::path& upper) {
  make_dirs(upper);
  do_mount("tmpfs", upper, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0700");
  const char* mark = in_user_namespace() ? "user.overlay.probe" : "trusted.overlay.probe";
  if (::setxattr(upper.c_str(), mark, "y", 1, 0) != 0 && ::umount2(upper.c_str(), 0) != 0) {
    throw_errno("uncovering", upper);
  }
}

/// Makes `view.lower` with its writable layer the root; the machine's own is at kOldRoot then.
void enter_root(const RootView& view) {
  do_mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE);
  if (view.writes == Writes::dropped) {
    hold_in_memory(view.upper);
  }
  const fs::path merged = view.upper / "merged";
  clear_mark(view.upper / "root");
  // In the writable layer, where it hides whatever a seed has of that name.
  make_dirs(view.upper / "root/data" / kOldRoot.relative_path());
  mount_overlay(view.lower, view.upper / "root", merged, view.writes);
  const fs::path old = merged / kOldRoot.relative_path();
  if (::syscall(SYS_pivot_root, merged.c_str(), old.c_str()) != 0) {
    throw_errno("making the new root", merged);
  }
  if (::chdir("/") != 0) {
    throw_errno("entering", "the new root");
  }
}

void show(const RootView& view) {
  enter_root(view);
  for (const char* folder : {"/proc", "/dev", "/tmp"}) {
    make_dirs(folder);
  }
  do_mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
  make_devices();
  if (view.store_lower) {
    mount_overlay(
        outside(*view.store_lower), outside(view.upper / "store"), "/nix/store", view.writes);
  }
  for (const Bind& each : view.binds) {
    bind(outside(each.from), each.to, each.writable);
  }
  if (::umount2(kOldRoot.c_str(), MNT_DETACH) != 0) {
    throw_errno("leaving", "the old root");
  }
  ::rmdir(kOldRoot.c_str());
  if (::chdir(view.directory.c_str()) != 0) {
    throw_errno("entering", view.directory);
  }
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> result;
  for (std::string& s : strings) {
    result.push_back(s.data());
  }
  result.push_back(nullptr);
  return result;
}

void say_why(const RootView& view, std::string_view message, std::string_view hint) {
  std::string text = fmt::format("error: entering {}: {}\n", view.lower.string(), message);
  if (!hint.empty()) {
    text += fmt::format("hint: {}\n", hint);
  }
  std::ignore = ::write(2, text.data(), text.size());
}

/// Ends this process when the one that started it ends, killed or not; at once where that has
/// happened already, which the pipe both had tells by then.
void end_with_parent(int fd, short sign) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  pollfd state{.fd = fd, .events = 0, .revents = 0};
  if (::poll(&state, 1, 0) == 1 && (state.revents & sign) != 0) {
    ::_exit(128 + SIGKILL);
  }
}

/// Runs in the first process of the new pid namespace. Never returns.
[[noreturn]] void become(const RootView& view,
                         std::vector<std::string> argv,
                         std::vector<std::string> environment) {
  try {
    if (view.network == Network::none) {
      raise_loopback();
    }
    show(view);
    // The search for the program uses the PATH that it will run with.
    ::clearenv();
    for (std::string& variable : environment) {
      ::putenv(variable.data());
    }
    ::execvp(argv.front().c_str(), pointers(argv).data());
    throw_errno("starting", argv.front());
  } catch (const Error& error) {
    say_why(view, error.message(), error.hint());
  } catch (const std::exception& error) {
    say_why(view, error.what(), {});
  }
  ::_exit(125);
}

void enter_mounts(const fs::path& mounts) {
  const Fd fd(::open(mounts.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::setns(fd.get(), CLONE_NEWNS) != 0) {
    throw_errno("entering the mount namespace", mounts);
  }
}

/// Waits for the view's first process, and asks it to end when a signal asks us. Where sudo stands
/// between us and who wants the output, neither a signal nor the death of the one tells: that
/// nobody takes our output any more does.
int wait_for(pid_t child, bool by_sudo) {
  const Fd end(by_sudo ? static_cast<int>(::syscall(SYS_pidfd_open, child, 0)) : -1);
  int status = 0;
  int signal = SIGTERM;
  for (;;) {
    std::array<pollfd, 2> fds{pollfd{end.get(), POLLIN, 0}, pollfd{STDOUT_FILENO, 0, 0}};
    const bool asked = end && ::poll(fds.data(), fds.size(), -1) < 0;
    if (!asked && fds[0].revents == 0 && (fds[1].revents & POLLERR) != 0) {
      ::kill(child, SIGKILL);
    }
    if (!asked && ::waitpid(child, &status, 0) == child) {
      return status;
    }
    if (errno != EINTR) {
      throw_errno("waiting for", "a view's first process");
    }
    // A signal asked us to stop: the namespace's first process takes everything in it along. As
    // such it does not even see a SIGTERM that it has no handler for (pid_namespaces(7)), so the
    // second request is one that it can't refuse.
    ::kill(child, std::exchange(signal, SIGKILL));
  }
}

}  // namespace

int run_in_view(const RootView& view,
                const std::vector<std::string>& argv,
                const std::vector<std::string>& environment) {
  if (view.mounts) {
    enter_mounts(*view.mounts);
  }
  if (view.invoker) {
    become_invoker(*view.invoker);
  }
  // After the change of identity, which ends the wish to end.
  end_with_parent(STDOUT_FILENO, POLLERR);  // its end of our output is closed
  unshare_all(view);
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
    throw_errno("creating", "a pipe");
  }
  const pid_t child = ::fork();
  if (child < 0) {
    throw_errno("starting", argv.front());
  }
  if (child == 0) {
    ::close(pipe[1]);
    end_with_parent(pipe[0], POLLHUP);
    become(view, argv, environment);
  }
  const int status = wait_for(child, view.invoker.has_value());
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::optional<std::string> why_no_namespaces() {
  const pid_t child = ::fork();
  if (child < 0) {
    throw_errno("starting", "a process that tries namespaces");
  }
  if (child == 0) {
    const int flags = CLONE_NEWNS | CLONE_NEWPID | (::geteuid() != 0 ? CLONE_NEWUSER : 0);
    const bool ok = ::unshare(flags) == 0 && (::geteuid() == 0 || (flags & CLONE_NEWUSER) != 0) &&
                    ((flags & CLONE_NEWUSER) != 0 ||
                     ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
    ::_exit(ok ? 0 : errno & 127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    return std::nullopt;
  }
  return fmt::format("this process may not make mount namespaces ({})",
                     WIFEXITED(status) ? strerrordesc_np(WEXITSTATUS(status)) : "killed");
}

}  // namespace seed::os
