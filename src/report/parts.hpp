#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/record.hpp"

namespace seed::report {

/// What several summaries are made of.

double seconds_of(const std::vector<Timing>& timings);

/// Layers that had to be sent, and those that were there.
struct LayerTotals {
  std::size_t sent = 0;
  std::uint64_t bytes_sent = 0;
  std::size_t there = 0;
  std::uint64_t bytes_there = 0;
};

LayerTotals totals_of(const std::vector<image::LayerReceipt>& layers);

/// The table at the top, of names and Markdown; rows without a value are left out.
std::string facts(const std::vector<std::pair<std::string_view, std::string>>& rows);

/// The repository of a seed, as a link to its page where the host is one we know the pages of.
std::string repository_link(const std::string& repository, const RunContext& run);

/// REPOSITORY → digest, of REPOSITORY@sha256:…
std::string image_link(const std::string& image, const RunContext& run);

/// A list that ends after 50 items with how many more there are.
std::string list_of(const std::vector<std::string>& items);

/// A note of what the user should know; a list where there are several. Empty for none.
std::string notices_of(const std::vector<std::string>& notices);

/// Words of another program, which may have several lines.
std::string quoted(const std::string& text);

/// A folded table of inputs, with the revisions before and after. Empty for none.
std::string changes_of(const std::vector<ChangedInput>& changed);

/// "nixpkgs `9fab14ad` → `8927cba6`, flake-utils new": the first three, then how many more.
std::string changes_line(const std::vector<ChangedInput>& changed);

/// A folded table of what was built, failures and the longest first; names alone where no times
/// are known. Empty for none.
std::string built_table(const std::vector<BuiltDerivation>& derivations,
                        const std::vector<std::string>& names);

/// The chart, with an empty line before and after it.
std::string chart_of(const std::vector<Timing>& timings,
                     const std::vector<BuiltDerivation>& derivations);

/// The small print at the end.
std::string footer(const RunContext& run);

}  // namespace seed::report
