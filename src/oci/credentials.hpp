#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/process.hpp"

namespace seed::oci {

struct Credential {
  std::string user;
  std::string password;
  std::string identity_token;  ///< where set, OAuth2 refresh_token; user and password are empty
};

/// Who we are to a registry.
class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  /// `repository` is HOST/NAME; files may hold keys as specific as that. Nothing: anonymous.
  virtual std::optional<Credential> find(const std::string& host,
                                         const std::string& repository) = 0;
};

/// $REGISTRY_AUTH_FILE, $XDG_RUNTIME_DIR/containers/auth.json,
/// $XDG_CONFIG_HOME/containers/auth.json (~/.config), $DOCKER_CONFIG/config.json (~/.docker), in
/// this order; `credHelpers`, `credsStore` and `auths` of each. NIX_SEED_REGISTRY_USER and
/// NIX_SEED_REGISTRY_PASSWORD come first of all; NIX_SEED_REGISTRY_HOST limits them to one host.
std::unique_ptr<CredentialSource> file_credentials(const os::Environment& environment,
                                                   os::Runner& runner);

}  // namespace seed::oci
