#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "sigstore/keys.hpp"

struct evp_pkey_st;

namespace seed::test {

/// A fresh key that signs: what a repository or an authority of a test's own has. Copies share it.
class TestKey {
 public:
  explicit TestKey(sigstore::KeyType type = sigstore::KeyType::p256);

  static TestKey p256() { return TestKey(sigstore::KeyType::p256); }

  static TestKey p384() { return TestKey(sigstore::KeyType::p384); }

  static TestKey ed25519() { return TestKey(sigstore::KeyType::ed25519); }

  /// Too short to sign with: it has no public_key().
  static TestKey weak_rsa();
  /// Somebody else's: to be certified, not to sign with.
  static TestKey public_half(const sigstore::PublicKey& key);

  const sigstore::PublicKey& public_key() const;
  /// By the hash that goes with the key.
  Bytes sign(ByteView message) const;
  /// By this one; for Ed25519 it does not matter.
  Bytes sign(ByteView message, sigstore::Hash hash) const;

  evp_pkey_st* handle() const;

 private:
  struct Key;

  explicit TestKey(std::shared_ptr<const Key> key) : key_(std::move(key)) {}

  std::shared_ptr<const Key> key_;
};

}  // namespace seed::test
