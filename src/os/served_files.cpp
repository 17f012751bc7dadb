#include "os/served_files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <shared_mutex>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "os/interrupt.hpp"

namespace seed::os {
namespace {

/// What one request may ask for; each thread has a buffer of it.
constexpr std::size_t kMaxReadBytes = 256 << 10;
/// Threads wait for the network more than they compute: as many readers can wait at a time.
constexpr unsigned kThreads = 16;
constexpr std::uint64_t kFirstNode = FUSE_ROOT_ID + 1;
/// Nothing ever changes: what the kernel knows it may keep (seconds).
constexpr std::uint64_t kForever = 1 << 30;
/// Room for a request: the least the kernel takes, and what it says it may send.
constexpr std::size_t kRequestBytes = FUSE_MIN_READ_BUFFER + 4096;

[[noreturn]] void refuse(std::string_view step) {
  throw Error(fmt::format("serving files: {}: {}", step, strerrordesc_np(errno)));
}

/// The argument behind a request's header; throws where it is shorter than it must be.
template <class Argument>
Argument argument_of(ByteView request) {
  Argument argument{};
  if (request.size() < sizeof(fuse_in_header) + sizeof argument) {
    throw FormatError("the kernel sent a request that is too short");
  }
  std::memcpy(&argument, request.data() + sizeof(fuse_in_header), sizeof argument);
  return argument;
}

fuse_in_header header_of(ByteView request) {
  fuse_in_header header{};
  std::memcpy(&header, request.data(), std::min(request.size(), sizeof header));
  return header;
}

/// Answers that come too late (who asked was interrupted) are no failure.
void reply(int device, std::uint64_t unique, int error, ByteView content) {
  fuse_out_header header{.len = static_cast<std::uint32_t>(sizeof header + content.size()),
                         .error = error,
                         .unique = unique};
  std::array<iovec, 2> parts{iovec{&header, sizeof header},
                             iovec{const_cast<std::byte*>(content.data()), content.size()}};
  std::ignore = ::writev(device, parts.data(), content.empty() ? 1 : 2);
}

template <class Content>
void reply(int device, std::uint64_t unique, const Content& content) {
  reply(device, unique, 0, std::as_bytes(std::span(&content, 1)));
}

fuse_init_out initialize(const fuse_init_in& kernel) {
  fuse_init_out answer{};
  answer.major = FUSE_KERNEL_VERSION;
  answer.minor = std::min<std::uint32_t>(kernel.minor, FUSE_KERNEL_MINOR_VERSION);
  answer.max_readahead = kernel.max_readahead;
  answer.flags = kernel.flags & (FUSE_ASYNC_READ | FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES);
  answer.max_background = 64;
  answer.congestion_threshold = 48;
  answer.max_write = 4096;
  answer.time_gran = 1;
  answer.max_pages = kMaxReadBytes / 4096;
  return answer;
}

fuse_attr attributes_of(std::uint64_t node, std::uint64_t size_bytes) {
  fuse_attr attributes{};
  attributes.ino = node;
  attributes.size = size_bytes;
  attributes.blocks = (size_bytes + 511) / 512;
  attributes.mode = node == FUSE_ROOT_ID ? S_IFDIR | 0555 : S_IFREG | 0444;
  attributes.nlink = 1;
  attributes.blksize = 4096;
  return attributes;
}

}  // namespace

ServedMount make_served_mount() {
  Fd device(::open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!device) {
    refuse("opening /dev/fuse");
  }
  const Fd context(::fsopen("fuse", FSOPEN_CLOEXEC));
  if (!context) {
    refuse("asking for the file system");
  }
  const std::string number = std::to_string(device.get());
  const std::array<std::array<const char*, 2>, 5> settings{{{"source", "nix-seed"},
                                                            {"fd", number.c_str()},
                                                            {"rootmode", "40000"},
                                                            {"user_id", "0"},
                                                            {"group_id", "0"}}};
  for (const auto& [key, value] : settings) {
    if (::fsconfig(context.get(), FSCONFIG_SET_STRING, key, value, 0) != 0) {
      refuse(key);
    }
  }
  if (::fsconfig(context.get(), FSCONFIG_SET_FLAG, "allow_other", nullptr, 0) != 0 ||
      ::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    refuse("making it");
  }
  Fd root(::fsmount(context.get(), FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV));
  if (!root) {
    refuse("making the mount");
  }
  return {std::move(device), std::move(root)};
}

/// Where bytes are given to, until the files end. Whoever gives may have to wait for a reader, who
/// is answered by the threads that serve: so these stay until nobody gives any more.
struct ServedFiles::Gate {
  std::shared_mutex mutex;
  int device = -1;
};

ServedFiles::ServedFiles(ServedMount mount, std::vector<std::uint64_t> sizes, Read read)
    : mount_(std::move(mount)),
      sizes_(std::move(sizes)),
      read_(std::move(read)),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      gate_(std::make_shared<Gate>()) {
  gate_->device = mount_.device.get();
  if (!stop_) {
    refuse("making an event");
  }
  const SignalsHeld held;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads_.emplace_back([this] { serve(); });
  }
}

ServedFiles::~ServedFiles() {
  {
    const std::lock_guard lock(gate_->mutex);
    gate_->device = -1;
  }
  const std::uint64_t one = 1;
  std::ignore = ::write(stop_.get(), &one, sizeof one);
  threads_.clear();
}

File ServedFiles::open(std::size_t file) const {
  return File::open_read(fmt::format("/proc/self/fd/{}/{}", mount_.root.get(), file));
}

ServedFiles::Give ServedFiles::giver() const {
  return [gate = gate_](std::size_t file, std::uint64_t offset, ByteView bytes) {
    const std::shared_lock lock(gate->mutex);
    if (gate->device < 0) {
      return;
    }
    fuse_notify_store_out place{.nodeid = kFirstNode + file,
                                .offset = offset,
                                .size = static_cast<std::uint32_t>(bytes.size()),
                                .padding = 0};
    fuse_out_header header{
        .len = static_cast<std::uint32_t>(sizeof header + sizeof place + bytes.size()),
        .error = FUSE_NOTIFY_STORE,
        .unique = 0};
    const std::array<iovec, 3> parts{iovec{&header, sizeof header},
                                     iovec{&place, sizeof place},
                                     iovec{const_cast<std::byte*>(bytes.data()), bytes.size()}};
    std::ignore = ::writev(gate->device, parts.data(), parts.size());
  };
}

void ServedFiles::rethrow_failure() const {
  const std::lock_guard lock(mutex_);
  if (failure_) {
    std::rethrow_exception(failure_);
  }
}

void ServedFiles::serve() {
  std::vector<std::byte> request(kRequestBytes);
  std::vector<std::byte> buffer(kMaxReadBytes);
  for (;;) {
    std::array<pollfd, 2> fds{pollfd{mount_.device.get(), POLLIN, 0},
                              pollfd{stop_.get(), POLLIN, 0}};
    ::poll(fds.data(), fds.size(), -1);
    if (fds[1].revents != 0) {
      return;
    }
    const ssize_t size = ::read(mount_.device.get(), request.data(), request.size());
    if (size < static_cast<ssize_t>(sizeof(fuse_in_header))) {
      if (size < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOENT)) {
        continue;  // another thread has it, or who asked has gone
      }
      return;  // ENODEV: nobody has the file system any more
    }
    answer(ByteView(request).first(static_cast<std::size_t>(size)), buffer);
  }
}

/// The file of a node, or their number where it is none.
std::size_t ServedFiles::file_of(std::uint64_t node) const {
  return node < kFirstNode || node - kFirstNode >= sizes_.size()
             ? sizes_.size()
             : static_cast<std::size_t>(node - kFirstNode);
}

void ServedFiles::answer(ByteView request, std::vector<std::byte>& buffer) {
  const int device = mount_.device.get();
  const fuse_in_header header = header_of(request);
  const std::size_t file = file_of(header.nodeid);
  switch (header.opcode) {
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
      return;  // have no answer
    case FUSE_INIT:
      return reply(device, header.unique, initialize(argument_of<fuse_init_in>(request)));
    case FUSE_LOOKUP: {
      const std::string_view name = text_of(request.subspan(sizeof header));
      std::size_t number = sizes_.size();
      std::from_chars(name.data(), name.data() + name.size(), number);
      if (header.nodeid != FUSE_ROOT_ID || number >= sizes_.size()) {
        return reply(device, header.unique, -ENOENT, {});
      }
      fuse_entry_out entry{};
      entry.nodeid = kFirstNode + number;
      entry.entry_valid = kForever;
      entry.attr_valid = kForever;
      entry.attr = attributes_of(entry.nodeid, sizes_[number]);
      return reply(device, header.unique, entry);
    }
    case FUSE_GETATTR: {
      fuse_attr_out answer{};
      answer.attr_valid = kForever;
      answer.attr = attributes_of(header.nodeid, file < sizes_.size() ? sizes_[file] : 0);
      return reply(device, header.unique, answer);
    }
    case FUSE_OPEN: {
      fuse_open_out answer{};
      answer.open_flags = FOPEN_KEEP_CACHE | FOPEN_NOFLUSH;
      return reply(device, header.unique, answer);
    }
    case FUSE_RELEASE:
      return reply(device, header.unique, 0, {});
    case FUSE_READ:
      return answer_read(request, buffer);
    default:
      return reply(device, header.unique, -ENOSYS, {});
  }
}

void ServedFiles::answer_read(ByteView request, std::vector<std::byte>& buffer) {
  const int device = mount_.device.get();
  const fuse_in_header header = header_of(request);
  const auto asked = argument_of<fuse_read_in>(request);
  const std::size_t file = file_of(header.nodeid);
  if (file == sizes_.size()) {
    return reply(device, header.unique, -EBADF, {});
  }
  const std::uint64_t rest = sizes_[file] - std::min(asked.offset, sizes_[file]);
  const auto size =
      static_cast<std::size_t>(std::min<std::uint64_t>({asked.size, rest, buffer.size()}));
  try {
    read_(file, asked.offset, std::span(buffer).first(size));
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      if (!failure_) {
        failure_ = std::current_exception();
      }
    }
    return reply(device, header.unique, -EIO, {});
  }
  reply(device, header.unique, 0, ByteView(buffer).first(size));
}

}  // namespace seed::os
