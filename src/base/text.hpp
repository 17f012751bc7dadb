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

/// How many bytes the first character of `text` has; 0 where it is not UTF-8 (RFC 3629 §4) or where
/// there is none.
std::size_t utf8_length(std::string_view text);

/// Whether a character is a command to whoever shows it: C0, DEL and C1 to terminals, marks of
/// direction (Unicode TR9) to everyone.
bool is_control(std::string_view character);

/// The longest start of `text` that has at most `limit_bytes` and no part of a character at its
/// end.
std::string_view utf8_prefix(std::string_view text, std::size_t limit_bytes);

/// Control characters and what is not UTF-8 made visible and the length bounded: for values of
/// outside origin in messages, which may go into JSON.
std::string printable(std::string_view text, std::size_t limit = 200);

}  // namespace seed
