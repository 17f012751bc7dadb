#pragma once

#include <optional>
#include <string>
#include <vector>

#include "image/assemble.hpp"
#include "oci/repository.hpp"

namespace seed::image {

/// A tag that is to be written, as things were when it was looked at.
struct ComingTag {
  std::string tag;
  std::optional<Digest> named;  ///< what it names until then
  std::string index;            ///< the index that it is going to name
};

/// What write_coming_tags is going to write, unless other systems' jobs write meanwhile. An index
/// holds every system's manifest that has a tag `<tag>-<system>` of its own or was in it before.
std::vector<ComingTag> coming_tags(oci::Repository& repository,
                                   const Image& image,
                                   const std::string& system,
                                   const std::vector<std::string>& tags,
                                   const std::string& source);

/// Stores these indexes by their digests, each once, so that they can be referred to before any tag
/// names them. Nobody sees them but who knows the digests.
std::vector<oci::Descriptor> put_indexes(oci::Repository& repository,
                                         const std::vector<ComingTag>& coming);

/// Writes the tags of a finished image, last of all: `<tag>-<system>` for each tag, then the index
/// `<tag>`. Looks again and writes again when another system's job wrote meanwhile. Returns the
/// index that the last of the tags names; there has to be one.
oci::Descriptor write_coming_tags(oci::Repository& repository,
                                  const Image& image,
                                  const std::string& system,
                                  const std::vector<ComingTag>& coming,
                                  const std::string& source);

/// Looks at the tags and writes them.
oci::Descriptor write_tags(oci::Repository& repository,
                           const Image& image,
                           const std::string& system,
                           const std::vector<std::string>& tags,
                           const std::string& source);

}  // namespace seed::image
