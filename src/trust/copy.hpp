#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "oci/repository.hpp"

namespace seed::trust {

struct CopyOptions {
  std::filesystem::path scratch;          ///< a folder for blobs on their way
  std::optional<std::string> mount_from;  ///< the source, where both are on one registry
  unsigned connections = 4;
};

/// What a copy did.
struct CopyReceipt {
  std::size_t manifests = 0;  ///< images and the indexes of them
  std::size_t referrers = 0;
  std::size_t blobs_sent = 0;
  std::size_t blobs_there = 0;
  std::uint64_t bytes_sent = 0;
  std::vector<std::string> left;  ///< referrers that could not be copied, and why
};

/// Copies what `digest` names, with all that is below it, and then what refers to any of it: byte
/// for byte, by digest alone, so that no tag at the destination moves. Each byte is checked on its
/// way. Whoever is killed in it and runs again goes on where he was.
CopyReceipt copy_artifact(oci::Repository& from,
                          oci::Repository& to,
                          const Digest& digest,
                          const CopyOptions& options);

}  // namespace seed::trust
