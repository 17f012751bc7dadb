#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "image/assemble.hpp"
#include "oci/repository.hpp"

namespace seed::image {

/// The index that write_tags is going to put under `tag`, as things are now; stored by its digest,
/// so that it can be referred to before any tag names it. Nobody sees it but who knows the digest.
oci::Descriptor put_index(oci::Repository& repository,
                          const Image& image,
                          std::string_view system,
                          const std::string& tag,
                          const std::string& source);

/// Writes the tags of a finished image, last of all: `<tag>-<system>` for each tag, then the index
/// `<tag>`, which holds every system's manifest that has such a tag of its own or was in it before.
/// Reads again and writes again when another system's job wrote meanwhile. Returns the index that
/// the last of the tags names; `tags` is not empty.
oci::Descriptor write_tags(oci::Repository& repository,
                           const Image& image,
                           std::string_view system,
                           const std::vector<std::string>& tags,
                           const std::string& source);

}  // namespace seed::image
