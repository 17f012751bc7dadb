#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "oci/session.hpp"
#include "oci/types.hpp"

namespace seed::oci {

/// Streams bytes [offset, offset + length) of a blob, going on where a connection broke. Throws
/// IntegrityError where the registry's blob ends early or, asked for all of it, goes on too long.
/// The bytes themselves are not verified.
void read_blob(Session& session,
               const Descriptor& blob,
               std::uint64_t offset,
               std::uint64_t length,
               const Sink& sink);

}  // namespace seed::oci
