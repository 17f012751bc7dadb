#pragma once

#include <string_view>

/// Files of src/sigstore/data, as they are: what this program believes before it has asked anybody.
namespace seed::sigstore::embedded {

extern const std::string_view kRoot;           ///< root.json of Sigstore's TUF repository
extern const std::string_view kTrustedRoot;    ///< its target trusted_root.json
extern const std::string_view kSigningConfig;  ///< its target signing_config.v0.2.json

}  // namespace seed::sigstore::embedded
