#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "http/http.hpp"
#include "sigstore/private_key.hpp"

namespace seed::sigstore {

/// What Fulcio answers with (fulcio.proto, SigningCertificate).
struct IssuedCertificate {
  Bytes leaf;  ///< DER
  /// A promise of the certificate log that is not in the certificate: a bundle has no room for it.
  bool has_detached_sct = false;
};

/// Throws FormatError.
IssuedCertificate parse_issued_certificate(std::string_view json);

/// POST /api/v2/signingCert (fulcio.proto, CreateSigningCertificate): a certificate for the key,
/// for whom the token was made. `challenge` is what the key signs to show that it is ours. What
/// comes back is not checked; the token goes nowhere else. Throws NetworkError.
IssuedCertificate request_certificate(http::Transport& transport,
                                      std::string_view base_url,
                                      std::string_view token,
                                      std::string_view challenge,
                                      SigningKey& key);

}  // namespace seed::sigstore
