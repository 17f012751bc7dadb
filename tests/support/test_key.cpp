#include "support/test_key.hpp"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/error.hpp"
#include "base/handle.hpp"

namespace seed::test {
namespace {

using Evp = Handle<EVP_PKEY, EVP_PKEY_free>;

sigstore::PublicKey public_of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owned(
      der);
  return sigstore::PublicKey::parse_der(
      {reinterpret_cast<std::byte*>(der), static_cast<std::size_t>(size)});
}

}  // namespace

struct TestKey::Key {
  explicit Key(Evp made) : evp(std::move(made)), shown(public_of(evp.get())) {}

  Evp evp;
  sigstore::PublicKey shown;
};

TestKey TestKey::p256() {
  return TestKey(std::make_shared<const Key>(Evp(EVP_EC_gen("P-256"))));
}

TestKey TestKey::p384() {
  return TestKey(std::make_shared<const Key>(Evp(EVP_EC_gen("P-384"))));
}

TestKey TestKey::ed25519() {
  return TestKey(std::make_shared<const Key>(Evp(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))));
}

const sigstore::PublicKey& TestKey::public_key() const {
  return key_->shown;
}

Bytes TestKey::sign(ByteView message) const {
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
  const sigstore::KeyType type = key_->shown.type();
  const EVP_MD* md = type == sigstore::KeyType::p256   ? EVP_sha256()
                     : type == sigstore::KeyType::p384 ? EVP_sha384()
                                                       : nullptr;
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  Bytes signature;
  const auto step = [&](unsigned char* out) {
    return EVP_DigestSign(context.get(), out, &size, bytes, message.size()) == 1;
  };
  if (EVP_DigestSignInit(context.get(), nullptr, md, nullptr, key_->evp.get()) == 1 &&
      step(nullptr)) {
    signature.resize(size);
    if (step(reinterpret_cast<unsigned char*>(signature.data()))) {
      signature.resize(size);
      return signature;
    }
  }
  throw Error("a test's key does not sign");
}

}  // namespace seed::test
