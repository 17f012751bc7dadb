#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "nix/nix.hpp"
#include "os/process.hpp"

namespace seed::nix {

/// A checkout of the flake below `scratch` whose own files all differ, as a flake reference; what a
/// job with changed application code sees. `how` as in perturb.hpp.
std::string perturbed_flake(const FlakeMetadata& metadata,
                            const std::filesystem::path& scratch,
                            int how,
                            os::Runner& runner);

/// The flake reference of a copy of `metadata`'s flake in `folder`: made a git checkout, with a
/// commit, where the flake is one.
std::string flake_in(const std::filesystem::path& folder,
                     const FlakeMetadata& metadata,
                     os::Runner& runner);

/// The folder that a `path:` or `git+file:` reference names; empty for any other.
std::filesystem::path local_folder(std::string_view reference);

}  // namespace seed::nix
