#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "sigstore/keys.hpp"
#include "sigstore/trusted_root.hpp"

namespace seed::sigstore {

/// What a TimeStampResp (RFC 3161 §2.4.2) says, whoever said it.
struct TimestampFacts {
  Time time;
  Hash algorithm = Hash::sha256;
  Bytes imprint;                     ///< the hash of what existed at `time`
  std::optional<std::string> nonce;  ///< hexadecimal

  bool operator==(const TimestampFacts&) const = default;
};

/// Throws FormatError: not one granted TimeStampResp with one signer, or an imprint by a hash
/// weaker than SHA-256.
TimestampFacts parse_timestamp(ByteView response);

struct ProvenTime {
  Time time;
  const TrustedAuthority* authority;
};

/// The time at which one of `authorities` saw `message`. Nothing where the signer is none of
/// theirs; throws IntegrityError where it is and anything is not right, and FormatError.
std::optional<ProvenTime> check_timestamp(ByteView response,
                                          ByteView message,
                                          const std::vector<TrustedAuthority>& authorities);

}  // namespace seed::sigstore
