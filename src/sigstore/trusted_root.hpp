#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "sigstore/chain.hpp"
#include "sigstore/keys.hpp"

namespace seed::sigstore {

/// A closed interval; no end means open (sigstore_common.proto, TimeRange).
struct Validity {
  std::optional<Time> start;
  std::optional<Time> end;

  bool contains(Time time) const { return (!start || *start <= time) && (!end || time <= *end); }

  bool operator==(const Validity&) const = default;
};

/// A transparency log or a certificate transparency log.
struct TrustedLog {
  std::string base_url;
  /// `operator`, or the last two labels of base_url's host: what independent logs are told apart
  /// by.
  std::string operator_name;
  Bytes log_id;  ///< keyId, 32 bytes
  PublicKey key;
  Validity validity;  ///< always has a start
};

/// A certificate authority, or a timestamp authority.
struct TrustedAuthority {
  std::string uri;
  std::string operator_name;
  Chain chain;
  Validity validity;
};

/// sigstore_trustroot.proto: whom a verifier believes. Lists may overlap in time and hold what has
/// expired: what counts is whether an entry was valid at the time in question.
struct TrustedRoot {
  std::vector<TrustedLog> transparency_logs;
  std::vector<TrustedAuthority> certificate_authorities;
  std::vector<TrustedLog> certificate_logs;
  std::vector<TrustedAuthority> timestamp_authorities;
};

/// Throws FormatError.
TrustedRoot parse_trusted_root(std::string_view json);

/// One root, or several as JSON Lines, as `gh attestation trusted-root` prints them: their union.
TrustedRoot parse_trusted_roots(std::string_view text);

/// Sigstore's public-good root as this program was built with it; docs/trust.md says from where.
const TrustedRoot& embedded_trusted_root();

}  // namespace seed::sigstore
