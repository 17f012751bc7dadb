#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "sigstore/identity.hpp"

namespace seed::sigstore {

/// The audience that Fulcio asks for.
inline constexpr std::string_view kTokenAudience = "sigstore";

/// What an OIDC identity token (RFC 7519) says of whom it was made for. Nothing here is proven: the
/// signature is Fulcio's to check. It is read to refuse early what Fulcio would, and to know what
/// the certificate has to say. Empty: absent.
struct TokenClaims {
  std::string issuer;
  std::string subject;
  std::vector<std::string> audience;
  Time expires;
  std::string email;
  bool email_verified = false;
  std::string connector;         ///< federated_claims.connector_id: whom Dex asked
  std::string repository;        ///< GitHub's, or GitLab's project_path
  std::string job_workflow_ref;  ///< GitHub's: the workflow file that the job is defined in
  std::string config_ref;        ///< GitLab's ci_config_ref_uri
  std::string visibility;        ///< of the repository: public, private or internal
};

/// The payload of a token in JWS compact serialization. Throws FormatError; no message has a part
/// of the token in it.
TokenClaims parse_token(std::string_view token);

/// Refuses a token that Fulcio would not take, or no longer when its turn comes. Throws UsageError.
void check_token(const TokenClaims& claims, Time now);

/// What has to be signed to show that who has the token has the key as well: the e-mail address
/// where the token is a person's, else the subject (the `challengeClaim` of Fulcio's issuers).
std::string challenge_of(const TokenClaims& claims);

/// Why a certificate is not the one that this token asked for; nothing where it is.
std::optional<std::string> mismatch(const TokenClaims& claims, const Signer& signer);

}  // namespace seed::sigstore
