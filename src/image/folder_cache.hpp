#pragma once

#include <cstdint>
#include <filesystem>

#include "os/file.hpp"

namespace seed::image {

/// The lock of a cached folder: the file beside it, whose time says when it was used last. Whoever
/// holds it, shared or not, uses the folder, and nobody removes it.
std::filesystem::path lock_beside(const std::filesystem::path& folder);

/// Says that the folder of this lock is used now.
void mark_used(const std::filesystem::path& lock);

/// Removes the folders of `parent` that were used longest ago until the files of the rest take at
/// most `limit_bytes`, and what killed runs have left. Folders in use stay.
void trim_folders(const std::filesystem::path& parent, std::uint64_t limit_bytes);

}  // namespace seed::image
