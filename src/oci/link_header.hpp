#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace seed::oci {

/// The target of the link whose `rel` is `next` (RFC 8288; distribution-spec, "Listing Tags").
/// Nothing where there is none, or the header is malformed: then the list ends.
std::optional<std::string> next_link(std::string_view header);

}  // namespace seed::oci
