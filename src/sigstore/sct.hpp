#pragma once

#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "sigstore/certificate.hpp"
#include "sigstore/trusted_root.hpp"

namespace seed::sigstore {

/// RFC 6962 §3.2, version 1.
struct Sct {
  Bytes log_id;  ///< 32 bytes
  std::uint64_t timestamp_ms = 0;
  Bytes extensions;
  Bytes signature;  ///< over SHA-256

  bool operator==(const Sct&) const = default;
};

/// A SignedCertificateTimestampList in its OCTET STRING, as the extension has it. SCTs of versions
/// and algorithms that do not concern us are left out. Throws FormatError.
std::vector<Sct> parse_sct_list(ByteView extension);

struct ListedIn {
  const TrustedLog* log;
  Time time;
};

/// The logs of `logs` that promised to list `certificate`, which `issuer` issued, each once. SCTs
/// of other logs do not count; throws IntegrityError where one of a log of `logs` is not right.
std::vector<ListedIn> check_scts(const Certificate& certificate,
                                 const Certificate& issuer,
                                 const std::vector<TrustedLog>& logs);

}  // namespace seed::sigstore
