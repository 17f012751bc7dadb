#include "support/test_key.hpp"

#include <optional>

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

sigstore::PublicKey public_of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owned(
      der);
  check(size > 0, "writing a key");
  return sigstore::PublicKey::parse_der(
      {reinterpret_cast<std::byte*>(der), static_cast<std::size_t>(size)});
}

}  // namespace

struct TestKey::Key {
  Handle<EVP_PKEY, EVP_PKEY_free> evp;
  std::optional<sigstore::PublicKey> shown;
};

TestKey::TestKey(KeyType type) {
  auto key = std::make_shared<Key>();
  key->evp.reset(generate(type));
  check(key->evp != nullptr, "making a key");
  key->shown = public_of(key->evp.get());
  key_ = std::move(key);
}

TestKey TestKey::weak_rsa() {
  auto key = std::make_shared<Key>();
  key->evp.reset(EVP_RSA_gen(1024));
  check(key->evp != nullptr, "making a key");
  return TestKey(std::move(key));
}

TestKey TestKey::public_half(const sigstore::PublicKey& shown) {
  const auto* at = reinterpret_cast<const unsigned char*>(shown.spki().data());
  auto key = std::make_shared<Key>();
  key->evp.reset(d2i_PUBKEY(nullptr, &at, static_cast<long>(shown.spki().size())));
  check(key->evp != nullptr, "reading a key");
  key->shown = shown;
  return TestKey(std::move(key));
}

const sigstore::PublicKey& TestKey::public_key() const {
  return key_->shown.value();
}

evp_pkey_st* TestKey::handle() const {
  return key_->evp.get();
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
