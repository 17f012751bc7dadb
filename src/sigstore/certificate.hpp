#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "sigstore/identity.hpp"
#include "sigstore/keys.hpp"

struct x509_st;

namespace seed::sigstore {

/// An X.509 certificate of version 3. Copies share it; const use is thread-safe. That it parses
/// says nothing about who made it: `Chain` does.
class Certificate {
 public:
  /// Whole: bytes behind it are refused. Throws FormatError.
  static Certificate parse_der(ByteView der);
  /// One `CERTIFICATE` block. Throws FormatError.
  static Certificate parse_pem(std::string_view pem);
  /// One or more blocks, in order, as Fulcio and timestamp authorities send them.
  static std::vector<Certificate> parse_pem_chain(std::string_view pem);

  const Bytes& der() const;
  std::string pem() const;  ///< 64 columns and a last newline, as logs keep it
  /// Throws FormatError for a key that `PublicKey` does not take.
  PublicKey key() const;
  Digest spki_digest() const;  ///< of the key whatever its kind
  Time not_before() const;
  Time not_after() const;
  bool is_ca() const;
  bool is_self_issued() const;
  std::string subject() const;  ///< one line, for people
  std::string serial() const;   ///< hexadecimal
  /// The content of the one extension of `oid` (dotted). Throws FormatError where there are two.
  std::optional<Bytes> extension(const char* oid) const;
  /// TBSCertificate without the list of SCTs: what the logs signed (RFC 6962 §3.2).
  Bytes tbs_without_scts() const;

  x509_st* handle() const;  ///< OpenSSL's; never written to

  bool operator==(const Certificate& other) const { return der() == other.der(); }

 private:
  struct State;

  explicit Certificate(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

/// Throws IntegrityError unless the certificate may sign artifacts: an end entity with the key
/// usage digitalSignature and the extended key usage codeSigning.
void check_signing_certificate(const Certificate& certificate);

/// What a Fulcio certificate says of its owner. Throws FormatError where an extension is malformed,
/// where there is not one alternative name, and where both issuers are there and differ.
Signer signer_of(const Certificate& certificate);

}  // namespace seed::sigstore
