#include "os/memory.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"

namespace seed::os {
namespace {

std::optional<std::uint64_t> number_of(std::string_view text) {
  text = trim(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value)
                                                                  : std::nullopt;
}

/// Empty where it is not there or not for us to read.
std::string read_if_there(const char* path) {
  constexpr std::uint64_t kMaxBytes = 64 << 10;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return {};
  }
  try {
    return read_file(path, kMaxBytes);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

std::uint64_t parse_available(std::string_view meminfo) {
  constexpr std::string_view kName = "MemAvailable:";
  constexpr std::string_view kUnit = "kB";
  for (const std::string_view line : split(meminfo, '\n')) {
    if (line.starts_with(kName) && line.ends_with(kUnit)) {
      const std::size_t size = line.size() - kName.size() - kUnit.size();
      return number_of(line.substr(kName.size(), size)).value_or(0) * 1024;
    }
  }
  return 0;
}

std::uint64_t parse_group_rest(std::string_view bound, std::string_view used) {
  const auto most = number_of(bound);
  if (!most) {
    return UINT64_MAX;
  }
  return *most - std::min(*most, number_of(used).value_or(0));
}

std::uint64_t available_memory() {
  std::uint64_t rest = parse_available(read_if_there("/proc/meminfo"));
  // In a container, its own group is what it sees at the top: of version 2, or of 1.
  constexpr std::array<std::pair<const char*, const char*>, 2> kGroups{
      {{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
       {"/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes"}}};
  for (const auto& [bound, used] : kGroups) {
    rest = std::min(rest, parse_group_rest(read_if_there(bound), read_if_there(used)));
  }
  return rest;
}

}  // namespace seed::os
