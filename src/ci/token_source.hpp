#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ci/host.hpp"
#include "os/process.hpp"

namespace seed::ci {

/// GitHub, and what speaks its language: GET with a bearer token answers {"value": TOKEN}.
struct TokenRequest {
  std::string url;  ///< with the audience
  std::string bearer;
  bool operator==(const TokenRequest&) const = default;
};

/// The job has it already.
struct TokenVariable {
  std::string name;
  std::string token;
  bool operator==(const TokenVariable&) const = default;
};

/// A program of the host's prints it.
struct TokenProgram {
  std::vector<std::string> argv;
  bool operator==(const TokenProgram&) const = default;
};

/// A file that somebody keeps fresh.
struct TokenFile {
  std::filesystem::path path;
  bool operator==(const TokenFile&) const = default;
};

/// How a job gets an identity token (OpenID Connect) for `audience`.
using TokenSource = std::variant<TokenRequest, TokenVariable, TokenProgram, TokenFile>;

/// What the environment says of it: SIGSTORE_ID_TOKEN first, since somebody set it for this very
/// purpose; then the host's own way; then SIGSTORE_ID_TOKEN_FILE. Nothing where there is none, as
/// in pull requests of forks.
std::optional<TokenSource> token_source(HostKind kind,
                                        const os::Environment& environment,
                                        std::string_view audience);

/// What people do so that there is one.
std::string_view token_remedy(HostKind kind);

}  // namespace seed::ci
