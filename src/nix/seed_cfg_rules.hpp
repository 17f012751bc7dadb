#pragma once

#include <optional>
#include <string>

#include "nix/seed_cfg.hpp"

namespace seed::nix {

/// What the name of a known builder says of it. The types of its fields are right.
void fill_in_builder(const std::string& name, SeedCfgBuilder& builder);

/// Throws FormatError for a field that is missing, or that another one contradicts; `repository` is
/// what the user wrote.
void check_builder(const std::string& name,
                   const SeedCfgBuilder& builder,
                   const std::string& repository);

/// The numbers as they were written, if they were.
struct WrittenQuorums {
  std::optional<unsigned> quorum;
  std::optional<unsigned> log_quorum;
};

/// Throws FormatError for values that are right alone and impossible together.
void check_together(const SeedCfg& cfg, const WrittenQuorums& written);

}  // namespace seed::nix
