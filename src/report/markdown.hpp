#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"

namespace seed::report {

/// What one value of outside origin may take of a summary.
inline constexpr std::size_t kMaxValueBytes = 400;

/// One line of valid UTF-8 that commands nothing: colours and cursor movements are gone, line
/// breaks and tabs are blanks, other control characters and what is not UTF-8 are U+FFFD. What is
/// longer ends in an ellipsis.
std::string plain(std::string_view text, std::size_t limit_bytes = kMaxValueBytes);

/// Text that keeps a table cell whole and turns no Markdown or HTML on.
std::string escape(std::string_view text, std::size_t limit_bytes = kMaxValueBytes);

/// The same inside an HTML element, where Markdown means nothing.
std::string html(std::string_view text);

/// A sentence of ours with addresses in it, which stand there as code: whole, as whoever compares
/// them needs, and no links.
std::string sentence(std::string_view text, std::size_t limit_bytes = kMaxValueBytes);

/// Where code stands: in a table's cell a | must be escaped, elsewhere the escape would show.
enum class Place { cell, text };

/// `abc` in backquotes that the text can't end; nothing for empty text.
std::string code(std::string_view text, Place place = Place::cell);

/// [text](url) where `url` is https and has no character that would end it; `text`, which is
/// Markdown, where not.
std::string link(const std::string& text, std::string_view url);

/// A block that no line in it can end.
std::string fenced(std::string_view language, const std::vector<std::string>& lines);

/// A block of commands.
std::string console(const std::vector<std::string>& lines);

enum class Fold { closed, open };

/// `body` below a line, HTML, that opens and closes it. Ends with an empty line: up to one, what
/// follows would still be HTML.
std::string details(std::string_view summary, std::string_view body, Fold fold = Fold::closed);

/// The box that hosts draw for NOTE, WARNING and CAUTION; `body` is Markdown.
std::string alert(std::string_view kind, std::string_view body);

/// sha256:4f1c9ab0…e07b, for people.
std::string short_digest(const Digest& digest);

/// 22 cells of full and light blocks.
std::string bar(std::uint64_t part, std::uint64_t whole);

/// 0.4 s, 12 s, 3 m 12 s
std::string human_seconds(double seconds);

/// 1 path, 2 paths
std::string counted(std::size_t count, std::string_view what);

}  // namespace seed::report
