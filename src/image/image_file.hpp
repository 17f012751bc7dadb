#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "oci/repository.hpp"
#include "oci/types.hpp"

namespace seed::image {

/// The content of one file of an image, `etc/nix-seed/closure` for example, out of the smallest
/// layer that has it; nothing where none has. Digests are verified. For files that one layer alone
/// has, as all of a seed's own. Throws FormatError for more than `limit_bytes`.
std::optional<std::string> read_image_file(oci::Repository& repository,
                                           const oci::Manifest& manifest,
                                           std::string_view path,
                                           std::uint64_t limit_bytes);

}  // namespace seed::image
