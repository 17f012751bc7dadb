#pragma once

#include <string_view>
#include <vector>

#include "trust/provenance.hpp"

namespace seed::trust {

inline constexpr std::uint64_t kMaxStatementBytes = 4 << 20;

/// The flake inputs that a statement says a seed was made from, as materials_of() names them.
/// Throws FormatError for what is no such statement. Nobody vouches for what it says: for messages
/// only.
std::vector<Material> parse_seed_materials(std::string_view statement);

}  // namespace seed::trust
