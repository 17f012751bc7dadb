#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace seed::app {

/// Adds text to a file that other programs add to as well, on a line of its own. Of Markdown that
/// would make the file longer than `limit_bytes` (0: no limit) only what fits; returns whether it
/// was cut. Throws Error where it can't be written.
bool append_text(const std::filesystem::path& path,
                 const std::string& text,
                 std::uint64_t limit_bytes);

/// Why nothing can be added to the file; empty where it can. Makes it where there is none.
std::string why_not_writable(const std::filesystem::path& path);

}  // namespace seed::app
