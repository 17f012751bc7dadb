#include "os/sudo.hpp"

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "os/root_view.hpp"

namespace seed::os {
namespace {

constexpr std::uint64_t kMaxOutputBytes = 64 << 10;
constexpr std::size_t kDescriptors = 2;
constexpr const char* kServed = "--served";

/// Room for the control message that carries descriptors (unix(7), SCM_RIGHTS).
struct Rights {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kDescriptors * sizeof(int))> control{};
  char byte = 0;
  iovec content{.iov_base = &byte, .iov_len = 1};
  msghdr message{};

  Rights() {
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }

  Rights(const Rights&) = delete;
  Rights& operator=(const Rights&) = delete;
};

void send_descriptors(int socket, const std::array<int, kDescriptors>& descriptors) {
  Rights rights;
  cmsghdr* header = CMSG_FIRSTHDR(&rights.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof descriptors);
  std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof descriptors);
  if (::sendmsg(socket, &rights.message, MSG_NOSIGNAL) != 1) {
    throw_errno("handing the mount over through", "standard input");
  }
}

/// What the other side sent before it ended; nothing where it sent something else.
std::optional<std::array<Fd, kDescriptors>> receive_descriptors(int socket) {
  Rights rights;
  const ssize_t count = ::recvmsg(socket, &rights.message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  const cmsghdr* header = count == 1 ? CMSG_FIRSTHDR(&rights.message) : nullptr;
  std::array<int, kDescriptors> descriptors{};
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof descriptors)) {
    return std::nullopt;
  }
  std::memcpy(descriptors.data(), CMSG_DATA(header), sizeof descriptors);
  return std::array{Fd(descriptors[0]), Fd(descriptors[1])};
}

/// The last line that tells something: sudo's own, or this program's error.
std::string last_words(const Captured& tried) {
  std::string words;
  for (const std::string_view line : split(tried.err, '\n')) {
    if (!trim(line).empty() && !line.starts_with("hint: ")) {
      words = line.substr(line.starts_with("error: ") ? 7 : line.starts_with("sudo: ") ? 6 : 0);
    }
  }
  return words.empty() ? fmt::format("exit code {}", tried.exit.code) : printable(words, 500);
}

void check(const Captured& tried) {
  if (!tried.exit.ok()) {
    throw Error("by sudo: " + last_words(tried));
  }
}

struct LendRequest {
  bool served = false;
  std::optional<Invoker> invoker;
  Backing backing = Backing::file;
  ImageMount mount;
  fs::path target;
};

LendRequest parse_lend(const std::vector<std::string>& arguments) {
  LendRequest request;
  if (arguments == std::vector<std::string>{kServed}) {
    request.served = true;
    return request;
  }
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    if (i + 1 == arguments.size()) {
      throw UsageError("lend: an argument is missing at the end");
    }
    const std::string& value = arguments[i + 1];
    if (name == "--as") {
      request.invoker = parse_invoker(value);
    } else if (name == "--image" || name == "--image-by-loop") {
      request.mount.image = value;
      request.backing = name == "--image" ? Backing::file : Backing::loop;
    } else if (name == "--device") {
      request.mount.devices.emplace_back(value);
    } else if (name == "--target") {
      request.target = value;
    } else {
      throw UsageError("lend: unknown argument " + printable(name));
    }
  }
  if (request.mount.image.empty() != request.target.empty() ||
      request.invoker.has_value() == !request.target.empty()) {
    throw UsageError("lend: --image with --target, or --as or --served alone");
  }
  return request;
}

void lend_namespaces(const Invoker& invoker) {
  become_invoker(invoker);
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) != 0) {
    throw_errno("making namespaces for", to_text(invoker));
  }
}

void lend_served_mount() {
  const ServedMount mount = make_served_mount();
  send_descriptors(STDIN_FILENO, {mount.device.get(), mount.root.get()});
}

void lend_mount(const LendRequest& request) {
  leave_shared_mounts();
  mount_image(request.mount, request.backing, request.target);
  const Fd root(::open(request.target.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const Fd mounts(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!root || !mounts) {
    throw_errno("opening", request.target);
  }
  send_descriptors(STDIN_FILENO, {root.get(), mounts.get()});
}

}  // namespace

std::optional<Invoker> who_needs_sudo(const Sudo* sudo) {
  const auto why_not = why_no_namespaces();
  if (!why_not) {
    return std::nullopt;
  }
  if (sudo == nullptr) {
    throw Error(*why_not);
  }
  try {
    sudo->try_namespaces();
  } catch (const Error& error) {
    throw Error(fmt::format("{}; {}", *why_not, error.message()));
  }
  return current_invoker();
}

std::vector<std::string> sudo_prefix() {
  return {"sudo", "-n", "--"};
}

Sudo::Sudo(Runner& runner, fs::path self) : runner_(&runner), self_(std::move(self)) {}

void Sudo::try_namespaces() const {
  Command command{.argv = sudo_prefix()};
  command.argv.insert(command.argv.end(),
                      {self_.string(), "lend", "--as", to_text(current_invoker())});
  check(capture(*runner_, command, kMaxOutputBytes));
}

/// What `lend` with these arguments hands over.
std::array<Fd, kDescriptors> Sudo::borrow(const std::vector<std::string>& arguments) const {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw_errno("creating", "a socket");
  }
  const Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  Command command{.argv = sudo_prefix(), .input_fd = theirs.get()};
  command.argv.insert(command.argv.end(), {self_.string(), "lend"});
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  check(capture(*runner_, command, kMaxOutputBytes));
  auto lent = receive_descriptors(ours.get());
  if (!lent) {
    throw Error("by sudo: the mount was made and not handed over");
  }
  return std::move(*lent);
}

ServedMount Sudo::make_served_mount() const {
  auto [device, root] = borrow({kServed});
  return {std::move(device), std::move(root)};
}

LentMount Sudo::mount(const ImageMount& mount, Backing backing, const fs::path& target) const {
  std::vector<std::string> arguments{backing == Backing::file ? "--image" : "--image-by-loop",
                                     mount.image.string(),
                                     "--target",
                                     target.string()};
  for (const fs::path& device : mount.devices) {
    arguments.insert(arguments.end(), {"--device", device.string()});
  }
  auto [root, mounts] = borrow(arguments);
  return {std::move(root), std::move(mounts)};
}

int lend(const std::vector<std::string>& arguments) {
  const LendRequest request = parse_lend(arguments);
  if (request.served) {
    lend_served_mount();
  } else if (request.invoker) {
    lend_namespaces(*request.invoker);
  } else {
    lend_mount(request);
  }
  return 0;
}

}  // namespace seed::os
