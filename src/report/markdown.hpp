#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/record.hpp"

namespace seed::report {

/// Text that keeps a table cell whole and turns no Markdown or HTML on.
std::string escape(std::string_view text);

/// `abc` in backquotes that the text can't end.
std::string code(std::string_view text);

/// sha256:4f1c9a...e07b, for people.
std::string short_digest(const Digest& digest);

/// 22 cells of full and light blocks.
std::string bar(std::uint64_t part, std::uint64_t whole);

/// A mermaid gantt chart of steps one after the other; empty for none.
std::string gantt(const std::vector<Timing>& timings);

/// 0.42 s, 12.3 s, 3 m 12 s
std::string human_seconds(double seconds);

}  // namespace seed::report
