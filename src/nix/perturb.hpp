#pragma once

#include <filesystem>

namespace seed::nix {

/// How much of a checkout to change. Each level changes less, for flakes whose evaluation reads
/// files that a trailing newline would break.
enum class Perturbation {
  every_file,    ///< a newline at the end of each file, a comment in each .nix file
  larger_files,  ///< as above, but files below 200 bytes (VERSION and the like) stay as they are
  nix_files,     ///< .nix files only
};

/// Copies the tree `source` to `target` (which must not exist) with every own file changed but
/// flake.lock, and one file added. Meaning is kept: what a job that edits the application does to
/// the hashes, without what it does to the program.
void copy_perturbed(const std::filesystem::path& source,
                    const std::filesystem::path& target,
                    Perturbation how);

}  // namespace seed::nix
