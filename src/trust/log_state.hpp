#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oci/repository.hpp"
#include "sigstore/log_watch.hpp"

namespace seed::trust {

inline constexpr std::string_view kLogStateType =
    "application/vnd.nix-seed.log-checkpoints.v1+json";

/// What watched logs were last, as an artifact under a tag. Nothing where there is no such tag;
/// throws FormatError where it names something else.
std::optional<sigstore::LogState> read_log_state(oci::Repository& repository,
                                                 const std::string& tag);

/// Throws IntegrityError where the tag does not show it afterwards.
void write_log_state(oci::Repository& repository,
                     const std::string& tag,
                     const sigstore::LogState& state);

}  // namespace seed::trust
