#pragma once

#include <filesystem>
#include <string>

#include "base/progress.hpp"
#include "image/publish.hpp"

namespace seed::image {

/// The folder of a seed's unpacked root below `cache`: unpacked now, or by an earlier run. It is
/// whole or not there: unpacking goes to a folder beside it, which is renamed at the end. Nobody
/// writes to it afterwards.
std::filesystem::path ensure_unpacked(oci::Repository& repository,
                                      const FoundSeed& seed,
                                      const std::filesystem::path& cache,
                                      unsigned workers,
                                      Progress& progress);

}  // namespace seed::image
