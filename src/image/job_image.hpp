#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "image/image_tree.hpp"
#include "oci/repository.hpp"
#include "os/process.hpp"

namespace seed::image {

/// What an image's config says to whoever runs it (image-spec, config.md).
struct RunConfig {
  std::string os;
  std::string architecture;  ///< GOARCH
  os::Environment environment;
  std::string user;
  std::vector<std::string> entrypoint;
  std::map<std::string, std::string> labels;
};

/// Throws FormatError. Members that are absent or null are empty.
RunConfig parse_run_config(std::string_view json);

/// An image as its runner and the processes in it find it.
struct JobImage {
  oci::Descriptor manifest;
  RunConfig config;
  ImageTree tree;
  oci::Annotations annotations;  ///< of the index and the manifest
};

/// Reads the image for `system` under a tag or digest of an index or a manifest. Throws UsageError
/// where there is none.
JobImage read_job_image(oci::Repository& repository,
                        const oci::Target& target,
                        std::string_view system,
                        unsigned workers);

}  // namespace seed::image
