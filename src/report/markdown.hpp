#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/record.hpp"

namespace seed::report {

/// Text that keeps a table cell whole and turns no Markdown or HTML on.
std::string escape(std::string_view text);

/// `abc` in backquotes that the text can't end, for a table's cell; nothing for empty text.
std::string code(std::string_view text);

/// A block of commands that no line in it can end.
std::string console(const std::vector<std::string>& lines);

/// sha256:4f1c9ab0…e07b, for people.
std::string short_digest(const Digest& digest);

/// 22 cells of full and light blocks.
std::string bar(std::uint64_t part, std::uint64_t whole);

/// A mermaid gantt chart of steps one after the other; empty for none.
std::string gantt(const std::vector<Timing>& timings);

/// 0.4 s, 12 s, 3 m 12 s
std::string human_seconds(double seconds);

}  // namespace seed::report
