#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nix/store_path.hpp"

namespace seed::nix {

/// What a flake's `seed` attribute asks for: the `nixSeed` value that lib.mkSeed puts on it.
struct SeedConfig {
  std::string nix;                          ///< folder that has bin/nix
  std::vector<std::string> tools;           ///< folders that have bin/
  std::vector<std::string> contents;        ///< more paths to hold
  std::optional<std::string> cacert;        ///< a bundle file
  std::optional<std::string> loader;        ///< the dynamic loader, for programs from outside
  std::vector<std::string> libs;            ///< folders with the libraries such programs need
  std::string config;                       ///< lines added to nix.conf
  bool offline = true;                      ///< false: Nix in the image may use the network
  std::vector<std::string> exclude_inputs;  ///< names of flake inputs to leave out
  std::optional<std::string> name;

  bool operator==(const SeedConfig&) const = default;
};

/// Version 1 of the JSON. Throws FormatError naming the member that is wrong.
SeedConfig parse_seed_config(std::string_view json);

}  // namespace seed::nix
