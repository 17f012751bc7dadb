#pragma once

#include <string>

#include "report/record.hpp"

namespace seed::report {

/// Records of runs, one for each outcome, as the program makes them.

/// A digest that depends on `name` alone.
Digest some_digest(const std::string& name);

/// /nix/store/…-name, with a hash that depends on the name alone.
std::string some_path(const std::string& name);

/// `{}` in text that would end, or start, whatever it stands in.
extern const std::string kHostile;

SeedRecord sample_seed(SeedStatus status);
BuildRecord sample_build(BuildMode mode);
BuildRecord sample_unevaluated();  ///< stale, since evaluation fails inside the seed
Failure sample_failed_build();
Failure sample_failed_seed();
SeedRecord hostile_seed();
BuildRecord hostile_build();
Failure hostile_failure();

}  // namespace seed::report
