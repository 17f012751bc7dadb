#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/bytes.hpp"

namespace seed::sigstore {

/// JSON from outside, an object. FormatError for anything else, for more than `limit_bytes`, for a
/// member that is there twice (readers disagree which one counts) and for more than 64 levels.
/// `what` names it in messages: "trusted root".
nlohmann::json parse_json(std::string_view text, std::uint64_t limit_bytes, std::string_view what);

/// The member, or nullptr where it is absent or null. FormatError where `object` is no object.
const nlohmann::json* find_member(const nlohmann::json& object, const char* key);

/// The member `key`, which must be there and have the type; FormatError otherwise.
const nlohmann::json& member(const nlohmann::json& object, const char* key);
const nlohmann::json& object_member(const nlohmann::json& object, const char* key);
const nlohmann::json& list_member(const nlohmann::json& object, const char* key);
const std::string& string_member(const nlohmann::json& object, const char* key);
/// Padded base64, as proto3 JSON writes `bytes`.
Bytes base64_member(const nlohmann::json& object, const char* key);
/// A number, or its decimal text, as proto3 JSON writes 64 bits; not negative.
std::int64_t integer_member(const nlohmann::json& object, const char* key);

}  // namespace seed::sigstore
