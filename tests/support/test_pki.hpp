#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "sigstore/certificate.hpp"
#include "support/test_key.hpp"

namespace seed::test {

/// What a certificate is to say. Extensions are in the words of x509v3_config(5), the name an OID
/// where OpenSSL has none: {"keyUsage", "critical,digitalSignature"}.
struct CertificateRequest {
  TestKey key;
  std::string common_name;  ///< empty: an empty subject
  Time from;
  Time to;
  std::vector<std::pair<std::string, std::string>> extensions;
  long serial = 0;  ///< 0: the next one
};

/// The raw bytes as the content of an extension.
std::string der_extension(ByteView content);

/// A certificate with its key, able to issue others.
struct Issuer {
  sigstore::Certificate certificate;
  TestKey key;
};

/// `issuer` null: signed by its own key.
sigstore::Certificate issue(const CertificateRequest& request, const Issuer* issuer);

/// Makes the list of SCTs from the TBSCertificate that it is about; empty: there is none.
using Promise = std::function<Bytes(ByteView tbs)>;

/// The same with a list of SCTs as the last extension (RFC 6962 §3.3).
sigstore::Certificate issue(const CertificateRequest& request,
                            const Issuer* issuer,
                            const Promise& promise);

}  // namespace seed::test
