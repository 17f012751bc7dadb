#include "support/test_key.hpp"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/handle.hpp"
#include "support/openssl_check.hpp"

namespace seed::test {
namespace {

using sigstore::Hash;
using sigstore::KeyType;

const EVP_MD* md_of(Hash hash) {
  return hash == Hash::sha256 ? EVP_sha256() : hash == Hash::sha384 ? EVP_sha384() : EVP_sha512();
}

EVP_PKEY* generate(KeyType type) {
  switch (type) {
    case KeyType::p256:
      return EVP_EC_gen("P-256");
    case KeyType::p384:
      return EVP_EC_gen("P-384");
    case KeyType::p521:
      return EVP_EC_gen("P-521");
    case KeyType::rsa:
      return EVP_RSA_gen(2048);
    case KeyType::ed25519:
      break;
  }
  return EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
}

}  // namespace

TestKey::TestKey(KeyType type) : key_(generate(type), EVP_PKEY_free) {
  check(key_ != nullptr, "making a key");
}

TestKey TestKey::weak_rsa() {
  TestKey key;
  key.key_ = {EVP_RSA_gen(1024), EVP_PKEY_free};
  check(key.key_ != nullptr, "making a key");
  return key;
}

sigstore::PublicKey TestKey::public_key() const {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(handle(), &der);
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owned(
      der);
  check(size > 0, "writing a key");
  return sigstore::PublicKey::parse_der(
      {reinterpret_cast<std::byte*>(der), static_cast<std::size_t>(size)});
}

Bytes TestKey::sign(ByteView message) const {
  return sign(message, EVP_PKEY_get_bits(handle()) == 384 ? Hash::sha384 : Hash::sha256);
}

Bytes TestKey::sign(ByteView message, Hash hash) const {
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
  const bool ed25519 = EVP_PKEY_get_base_id(handle()) == EVP_PKEY_ED25519;
  const EVP_MD* md = ed25519 ? nullptr : md_of(hash);
  check(EVP_DigestSignInit(context.get(), nullptr, md, nullptr, handle()) == 1, "signing");
  const auto* data = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  check(EVP_DigestSign(context.get(), nullptr, &size, data, message.size()) == 1, "signing");
  Bytes signature(size);
  check(EVP_DigestSign(context.get(),
                       reinterpret_cast<unsigned char*>(signature.data()),
                       &size,
                       data,
                       message.size()) == 1,
        "signing");
  signature.resize(size);
  return signature;
}

}  // namespace seed::test
