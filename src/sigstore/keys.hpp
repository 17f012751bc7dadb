#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/digest.hpp"

struct evp_pkey_st;

namespace seed::sigstore {

enum class Hash { sha256, sha384, sha512 };

Bytes hash(Hash algorithm, ByteView bytes);

enum class KeyType { p256, p384, p521, rsa, ed25519 };

/// A key that signatures are checked with. Copies share it; const use is thread-safe.
class PublicKey {
 public:
  /// SubjectPublicKeyInfo (RFC 5280 §4.1.2.7), whole: bytes behind it are refused. ECDSA on P-256,
  /// P-384 and P-521, RSA of 2048 to 8192 bits, and Ed25519. Throws FormatError.
  static PublicKey parse_der(ByteView spki);
  /// One `PUBLIC KEY` block (RFC 7468). Throws FormatError.
  static PublicKey parse_pem(std::string_view pem);
  /// `parse_der(spki)` of what OpenSSL has already read from these bytes, or failed to (null).
  static PublicKey of(evp_pkey_st* key, ByteView spki);

  KeyType type() const;
  /// The hash that goes with the key where nothing else is said: SHA-256 for P-256 and RSA, SHA-384
  /// for P-384, SHA-512 for P-521. Ed25519 hashes by itself: SHA-512.
  Hash hash() const;
  const Bytes& spki() const;  ///< DER
  Digest id() const;          ///< SHA-256 of spki()
  std::string pem() const;

  /// Whether `signature` (DER for ECDSA, PKCS #1 v1.5 for RSA, 64 bytes for Ed25519) is the key's
  /// over `message`.
  bool verify(ByteView message, ByteView signature) const;
  /// The same with a hash that is not the key's own; for Ed25519 the hash does not matter.
  bool verify(Hash algorithm, ByteView message, ByteView signature) const;
  /// The same over a hash that was made elsewhere. Never true for Ed25519, which needs the message.
  bool verify_hashed(Hash algorithm, ByteView hashed, ByteView signature) const;

  bool operator==(const PublicKey& other) const { return spki() == other.spki(); }

 private:
  struct Key;

  explicit PublicKey(std::shared_ptr<const Key> key) : key_(std::move(key)) {}

  std::shared_ptr<const Key> key_;
  friend class PrivateKey;
};

}  // namespace seed::sigstore
