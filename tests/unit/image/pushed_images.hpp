#pragma once

#include <memory>
#include <string>
#include <vector>

#include "image/publish.hpp"
#include "oci/layout.hpp"
#include "os/file.hpp"
#include "unit/image/image_parts.hpp"

namespace seed::image {

/// A layout to push images into.
struct PushedImages {
  os::TempDir temp;
  std::unique_ptr<oci::Repository> layout = oci::open_layout(temp.path() / "layout");

  Image push(const std::string& system, const std::string& content) {
    for (const std::string& text : {content, content + " own"}) {
      const LayerBlob blob = blob_of(text);
      layout->put_blob(
          {.media_type = blob.media_type, .digest = blob.digest, .size_bytes = blob.size_bytes},
          std::string_view(text));
    }
    Image image = assemble(parts_of(system, content));
    push_image(*layout, image);
    return image;
  }

  std::vector<std::string> systems(const std::string& tag) {
    std::vector<std::string> found;
    for (const auto& manifest : oci::parse_index(layout->get_manifest(tag)->bytes).manifests) {
      found.push_back(manifest.annotations.at(std::string(kSystemAnnotation)));
    }
    return found;
  }
};

}  // namespace seed::image
