#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/digest.hpp"

namespace seed::oci {

/// JSON from outside, an object or a list. FormatError for anything else, for more than
/// `limit_bytes`, for a member that is there twice (readers disagree which one counts) and for more
/// than 64 levels. `what` names it in messages: "manifest".
nlohmann::json parse_json(std::string_view text, std::uint64_t limit_bytes, std::string_view what);

/// Keys sorted, no white space. Throws Error for text that is not UTF-8.
std::string to_canonical_json(const nlohmann::json& value);

/// The member `key` of `object`, which must be there and have the type; FormatError otherwise.
const std::string& string_member(const nlohmann::json& object, const char* key);
std::uint64_t size_member(const nlohmann::json& object, const char* key);
Digest digest_member(const nlohmann::json& object, const char* key);

/// The member, or nullptr where it is absent or null (Go writes nil slices and maps as null).
const nlohmann::json* find_member(const nlohmann::json& object, const char* key);

}  // namespace seed::oci
