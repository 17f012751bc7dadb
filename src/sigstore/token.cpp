#include "sigstore/token.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/json.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::sigstore {
namespace {

using nlohmann::json;

/// RFC 7515, Appendix C: base64url without padding.
std::optional<Bytes> from_base64url(std::string_view text) {
  std::string padded;
  for (const char c : text) {
    if (c == '+' || c == '/' || c == '=') {
      return std::nullopt;
    }
    padded += c == '-' ? '+' : c == '_' ? '/' : c;
  }
  padded.append((4 - padded.size() % 4) % 4, '=');
  return from_base64(padded);
}

std::string text_claim(const json& claims, const char* name) {
  const json* found = find_member(claims, name);
  if (found == nullptr) {
    return {};
  }
  if (!found->is_string()) {
    throw FormatError(fmt::format("the token's claim '{}' is no text", name));
  }
  return found->get<std::string>();
}

std::vector<std::string> audience_of(const json& claims) {
  const json* found = find_member(claims, "aud");
  if (found == nullptr) {
    return {};
  }
  // RFC 7519 §4.1.3: a list, or where there is one audience, its text.
  std::vector<std::string> audience;
  for (const json& entry : found->is_array() ? *found : json::array({*found})) {
    if (!entry.is_string()) {
      throw FormatError("the token's claim 'aud' is neither a text nor a list of texts");
    }
    audience.push_back(entry.get<std::string>());
  }
  return audience;
}

/// NumericDate (RFC 7519 §2): seconds, perhaps with a fraction.
Time expiry_of(const json& claims) {
  constexpr double kYear10000 = 253'402'300'800;
  const json* found = find_member(claims, "exp");
  if (found == nullptr || !found->is_number() || found->get<double>() < 0 ||
      found->get<double>() >= kYear10000) {
    throw FormatError("the token's claim 'exp' is no time");
  }
  return Time(std::chrono::seconds(static_cast<std::int64_t>(found->get<double>())));
}

/// Providers write it as a boolean or as its text.
bool is_true(const json& claims, const char* name) {
  const json* found = find_member(claims, name);
  return found != nullptr && (*found == true || *found == "true");
}

/// "acme/app" of "https://github.com/acme/app": where the host stands, the certificate says.
bool ends_with_path(std::string_view uri, std::string_view path) {
  return uri.size() > path.size() + 1 && uri.ends_with(path) &&
         uri[uri.size() - path.size() - 1] == '/';
}

std::string differs(std::string_view what, std::string_view is, std::string_view token) {
  return fmt::format("{} is '{}', and the token says '{}'", what, printable(is), printable(token));
}

}  // namespace

TokenClaims parse_token(std::string_view token) {
  if (token.size() > kMaxTokenBytes) {
    throw FormatError(fmt::format("the token has more than {} bytes", kMaxTokenBytes));
  }
  const std::vector<std::string_view> parts = split(token, '.');
  const auto payload = parts.size() == 3 ? from_base64url(parts[1]) : std::nullopt;
  if (!payload || parts[0].empty() || parts[2].empty()) {
    throw FormatError("the identity token is not a JSON Web Token: HEADER.PAYLOAD.SIGNATURE");
  }
  json claims;
  try {
    claims = parse_json(text_of(*payload), kMaxTokenBytes, "the token's payload");
  } catch (const FormatError&) {
    throw FormatError("the token's payload is not a JSON object");  // without a part of it
  }
  TokenClaims read{.issuer = text_claim(claims, "iss"),
                   .subject = text_claim(claims, "sub"),
                   .audience = audience_of(claims),
                   .expires = expiry_of(claims),
                   .email = text_claim(claims, "email"),
                   .email_verified = is_true(claims, "email_verified"),
                   .repository = text_claim(claims, "repository"),
                   .job_workflow_ref = text_claim(claims, "job_workflow_ref"),
                   .config_ref = text_claim(claims, "ci_config_ref_uri"),
                   .visibility = text_claim(claims, "repository_visibility")};
  if (read.repository.empty()) {
    read.repository = text_claim(claims, "project_path");
    read.visibility = text_claim(claims, "project_visibility");
  }
  if (const json* federated = find_member(claims, "federated_claims");
      federated != nullptr && federated->is_object()) {
    read.connector = text_claim(*federated, "connector_id");
  }
  if (read.issuer.empty() || (read.subject.empty() && read.email.empty())) {
    throw FormatError("the token names no issuer, or nobody whom it was made for");
  }
  return read;
}

void check_token(const TokenClaims& claims, Time now) {
  constexpr std::chrono::seconds kEnough{60};
  if (std::ranges::find(claims.audience, kTokenAudience) == claims.audience.end()) {
    throw UsageError(fmt::format("the identity token is for '{}', not for '{}'",
                                 printable(claims.audience.empty() ? "" : claims.audience.front()),
                                 kTokenAudience),
                     fmt::format("ask for a token with the audience '{}'", kTokenAudience));
  }
  if (claims.expires <= now + kEnough) {
    throw UsageError(fmt::format("the identity token {} at {}, and it is {}",
                                 claims.expires <= now ? "expired" : "expires",
                                 to_rfc3339(claims.expires),
                                 to_rfc3339(now)),
                     "get a fresh token just before signing, and look at this machine's clock");
  }
  if (!claims.email.empty() && !claims.email_verified) {
    throw UsageError("the identity token has an e-mail address that its issuer has not verified",
                     "verify the address with the issuer, or use another account");
  }
}

std::string challenge_of(const TokenClaims& claims) {
  return claims.email.empty() ? claims.subject : claims.email;
}

std::optional<std::string> mismatch(const TokenClaims& claims, const Signer& signer) {
  const std::string& issuer = claims.connector.empty() ? claims.issuer : claims.connector;
  if (signer.issuer != issuer) {
    return differs("its issuer", signer.issuer, issuer);
  }
  if (!claims.email.empty() && signer.subject != claims.email) {
    return differs("its subject", signer.subject, claims.email);
  }
  if (!claims.job_workflow_ref.empty() &&
      !ends_with_path(signer.subject, claims.job_workflow_ref)) {
    return differs("its subject", signer.subject, claims.job_workflow_ref);
  }
  if (!claims.config_ref.empty() && signer.subject != "https://" + claims.config_ref) {
    return differs("its subject", signer.subject, claims.config_ref);
  }
  if (!claims.repository.empty() && !signer.source_repository_uri.empty() &&
      !ends_with_path(signer.source_repository_uri, claims.repository)) {
    return differs("its repository", signer.source_repository_uri, claims.repository);
  }
  if (!signer.token_subject.empty() && signer.token_subject != claims.subject) {
    return differs("its token's subject", signer.token_subject, claims.subject);
  }
  return std::nullopt;
}

}  // namespace seed::sigstore
