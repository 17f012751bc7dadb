#include "os/invoker.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace seed::os {
namespace {

/// 2^32 - 1 is not an identity but "leave it as it is".
std::uint32_t identity_from(std::string_view text, std::string_view all) {
  std::uint32_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc() || end != text.data() + text.size() ||
      value == UINT32_MAX) {
    throw UsageError(
        fmt::format("'{}' is no user as UID:GID:GROUPS: '{}'", printable(all), printable(text)));
  }
  return value;
}

void keep_only(unsigned capability) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> sets{};
  sets[CAP_TO_INDEX(capability)].permitted = CAP_TO_MASK(capability);
  sets[CAP_TO_INDEX(capability)].effective = CAP_TO_MASK(capability);
  if (::syscall(SYS_capset, &header, sets.data()) != 0) {
    throw_errno("keeping the right to mount", "capset");
  }
}

}  // namespace

Invoker current_invoker() {
  Invoker invoker{.uid = ::geteuid(), .gid = ::getegid(), .groups = {}};
  const int count = ::getgroups(0, nullptr);
  if (count > 0) {
    invoker.groups.resize(static_cast<std::size_t>(count));
    invoker.groups.resize(
        static_cast<std::size_t>(std::max(0, ::getgroups(count, invoker.groups.data()))));
  }
  return invoker;
}

std::string to_text(const Invoker& invoker) {
  std::string text = fmt::format("{}:{}", invoker.uid, invoker.gid);
  if (!invoker.groups.empty()) {
    text += fmt::format(":{}", fmt::join(invoker.groups, ","));
  }
  return text;
}

Invoker parse_invoker(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts.size() > 3) {
    throw UsageError(fmt::format("'{}' is no user as UID:GID:GROUPS", printable(text)));
  }
  Invoker invoker{
      .uid = identity_from(parts[0], text), .gid = identity_from(parts[1], text), .groups = {}};
  if (parts.size() == 3) {
    for (const std::string_view group : split(parts[2], ',')) {
      invoker.groups.push_back(identity_from(group, text));
    }
  }
  return invoker;
}

void become_invoker(const Invoker& invoker) {
  // Without it the permitted capabilities go with the last identity that is root's.
  if (::prctl(PR_SET_KEEPCAPS, 1) != 0) {
    throw_errno("keeping the right to mount", "prctl");
  }
  if (::setgroups(invoker.groups.size(), invoker.groups.data()) != 0 ||
      ::setresgid(invoker.gid, invoker.gid, invoker.gid) != 0 ||
      ::setresuid(invoker.uid, invoker.uid, invoker.uid) != 0) {
    throw_errno("becoming user", to_text(invoker));
  }
  keep_only(CAP_SYS_ADMIN);
  // A change of identity makes files in /proc/self root's: user namespaces are set up by them.
  ::prctl(PR_SET_DUMPABLE, 1);
}

}  // namespace seed::os
