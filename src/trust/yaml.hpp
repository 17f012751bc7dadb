#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace seed::trust {

/// One YAML 1.2 document in block style, members as they are in `value`; lines of text as a block.
/// Whatever could be taken for something else than the text it is has quotes.
std::string to_yaml(const nlohmann::ordered_json& value);

}  // namespace seed::trust
