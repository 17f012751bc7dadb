#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.hpp"
#include "oci/repository.hpp"
#include "oci/session.hpp"

namespace seed::oci {

/// A Source over the content from `offset` on; called anew for each attempt.
using SourceAt = std::function<Source(std::uint64_t offset)>;

bool blob_exists(Session& session, const Descriptor& blob);

/// Starts an upload and gives it up at once: throws the NetworkError that pushing would meet.
void try_upload(Session& session);

/// Mounts the blob from another repository, or sends it: whole, and where the connection breaks in
/// chunks from where the registry got to (distribution-spec, "Pushing Blobs").
Pushed upload_blob(Session& session,
                   const Descriptor& blob,
                   const SourceAt& content,
                   const std::optional<std::string>& mount_from,
                   std::uint64_t chunk_bytes);

}  // namespace seed::oci
