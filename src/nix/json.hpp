#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace seed::nix {

/// Reads a JSON text of outside origin; `what` names it in messages. Throws FormatError, also where
/// it is nested deeper than any writer of Nix's nests it (printing such a value would recurse).
nlohmann::json parse_json(std::string_view text, std::string_view what);

/// The members of `object`; `where` names the object. Throw FormatError where it is not an object,
/// lacks the member, or the member has another type.
const nlohmann::json& member(const nlohmann::json& object,
                             const std::string& name,
                             std::string_view where);
std::string string_member(const nlohmann::json& object,
                          const std::string& name,
                          std::string_view where);

/// Nothing of that name, or null: the empty string.
std::string optional_string(const nlohmann::json& object,
                            const std::string& name,
                            std::string_view where);

/// Throws FormatError unless `value` is an object.
const nlohmann::json& expect_object(const nlohmann::json& value, std::string_view where);

}  // namespace seed::nix
