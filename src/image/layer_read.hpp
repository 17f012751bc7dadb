#pragma once

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "oci/repository.hpp"
#include "oci/types.hpp"

namespace seed::image {

/// Streams the tar of a layer into `sink`: blob and tar are both checked, at their ends, so that
/// the sink must be prepared to throw away what it has seen. IntegrityError where one is not what
/// was named, FormatError for other compressions than ours.
void read_layer(oci::Repository& repository,
                const oci::Descriptor& layer,
                const Digest& diff_id,
                const Sink& sink);

}  // namespace seed::image
