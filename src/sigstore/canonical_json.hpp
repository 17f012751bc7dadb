#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace seed::sigstore {

/// OLPC's canonical JSON, what TUF signatures are over: members sorted bytewise, no white space,
/// only `\` and `"` escaped, so that a line break within a text is a line break here too. (dump()
/// of nlohmann's is another form.) Throws FormatError for numbers that are not whole.
std::string canonical_json(const nlohmann::json& value);

}  // namespace seed::sigstore
