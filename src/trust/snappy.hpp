#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace seed::trust {

/// One block of Snappy's format (google/snappy, format_description.txt), which GitHub keeps bundles
/// in. Throws FormatError for what is no such block, and for more than `limit_bytes`, before they
/// are allocated.
std::string uncompress_snappy(std::string_view block, std::uint64_t limit_bytes);

}  // namespace seed::trust
