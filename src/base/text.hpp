#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seed {

/// The parts between `separator`; one empty part for empty text.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Without blanks, tabs, CR and LF at both ends.
std::string_view trim(std::string_view text);

std::string to_lower(std::string_view text);  ///< ASCII only, whatever the locale

/// 12.3 MiB; for people, never parsed.
std::string human_size(std::uint64_t size_bytes);

/// Control characters and what is not UTF-8 made visible and the length bounded: for values of
/// outside origin in messages, which may go into JSON.
std::string printable(std::string_view text, std::size_t limit = 200);

}  // namespace seed
