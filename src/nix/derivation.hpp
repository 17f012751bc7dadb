#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "nix/store_path.hpp"

namespace seed::nix {

/// The part of a store derivation that says what a build needs.
struct Derivation {
  std::map<std::string, std::string> outputs;  ///< name -> path; empty where it is not known yet
  std::map<StorePath, std::set<std::string>> input_drvs;  ///< derivation -> names of its outputs
  std::set<StorePath> input_srcs;
  std::string system;
  std::string builder;
  bool fixed_output = false;  ///< its hash is known before it is built: a fetch, as a rule

  bool operator==(const Derivation&) const = default;
};

/// Reads the ATerm form (`Derive(...)`, and `DrvWithVersion("xp-dyn-drv",...)`). It has not changed
/// from Nix 2.8 to 2.36 and Lix 2.96, unlike every JSON form. Throws FormatError.
Derivation parse_derivation(std::string_view aterm);

}  // namespace seed::nix
