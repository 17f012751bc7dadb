#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oci/credentials.hpp"

namespace seed::oci {

/// What docker's config.json and containers' auth.json say about who we are. Keys are normal: no
/// scheme, and a host alone where there was one; Docker Hub is `docker.io` in all its spellings.
struct DockerConfig {
  std::map<std::string, Credential, std::less<>> auths;
  std::map<std::string, std::string, std::less<>> helpers;  ///< credHelpers
  std::string store;                                        ///< credsStore
};

/// Throws FormatError.
DockerConfig parse_docker_config(std::string_view json);

/// What a credential helper prints for `get`. Throws FormatError.
Credential parse_helper_answer(std::string_view json);

/// Keys under which a repository (HOST/NAME) may be found, the most specific first: HOST/a/b,
/// HOST/a, HOST.
std::vector<std::string> credential_keys(const std::string& host, const std::string& repository);

}  // namespace seed::oci
