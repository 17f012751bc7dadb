#pragma once

#include <cstdint>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace seed {

/// JSON from outside, an object or a list. FormatError for anything else, for more than
/// `limit_bytes`, for a member that is there twice (readers disagree which one counts) and for more
/// than `max_depth` levels. `what` names it in messages: "manifest". Takes time linear in the text.
nlohmann::json read_strict_json(std::string_view text,
                                std::uint64_t limit_bytes,
                                std::size_t max_depth,
                                std::string_view what);

}  // namespace seed
