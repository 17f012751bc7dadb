#pragma once

#include <cstdint>
#include <string_view>

namespace seed::os {

/// Bytes that may still be taken without anything being pushed out: of the machine's, and of what a
/// container was given. 0 where nobody says.
std::uint64_t available_memory();

/// MemAvailable of a /proc/meminfo (proc_meminfo(5)); 0 where it is not there.
std::uint64_t parse_available(std::string_view meminfo);

/// What is left of a control group's memory, of the texts of its bound and its use. More than any
/// machine has where there is no bound, as the kernel writes "max" or nothing at all.
std::uint64_t parse_group_rest(std::string_view bound, std::string_view used);

}  // namespace seed::os
