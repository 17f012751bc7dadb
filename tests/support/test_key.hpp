#pragma once

#include <memory>

#include "base/bytes.hpp"
#include "sigstore/keys.hpp"

namespace seed::test {

/// A fresh key that signs: what a repository or an authority of a test's own has. Copies share it.
class TestKey {
 public:
  static TestKey p256();
  static TestKey p384();
  static TestKey ed25519();

  const sigstore::PublicKey& public_key() const;
  Bytes sign(ByteView message) const;

 private:
  struct Key;

  explicit TestKey(std::shared_ptr<const Key> key) : key_(std::move(key)) {}

  std::shared_ptr<const Key> key_;
};

}  // namespace seed::test
