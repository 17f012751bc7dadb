#include "sigstore/keys.hpp"

#include <array>

#include <fmt/core.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/pem.hpp"

namespace seed::sigstore {
namespace {

using Digesting = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;
using KeyContext = Handle<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;
constexpr std::string_view kLabel = "PUBLIC KEY";

const unsigned char* raw(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

const EVP_MD* md_of(Hash algorithm) {
  switch (algorithm) {
    case Hash::sha256:
      return EVP_sha256();
    case Hash::sha384:
      return EVP_sha384();
    case Hash::sha512:
      return EVP_sha512();
  }
  throw Error("a hash that does not exist");
}

Bytes encoded(const EVP_PKEY* key) {
  unsigned char* out = nullptr;
  const int size = i2d_PUBKEY(key, &out);
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owned(
      out);
  return size > 0
             ? Bytes(reinterpret_cast<std::byte*>(out), reinterpret_cast<std::byte*>(out) + size)
             : Bytes();
}

KeyType curve_of(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &length) != 1) {
    throw FormatError("the curve of an elliptic-curve key has no name");
  }
  switch (OBJ_txt2nid(name.data())) {
    case NID_X9_62_prime256v1:
      return KeyType::p256;
    case NID_secp384r1:
      return KeyType::p384;
    case NID_secp521r1:
      return KeyType::p521;
    default:
      throw FormatError(fmt::format("a key on the curve {} can't sign here", name.data()),
                        "use P-256, P-384 or P-521");
  }
}

KeyType type_of(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
      return curve_of(key);
    case EVP_PKEY_ED25519:
      return KeyType::ed25519;
    case EVP_PKEY_RSA:
      if (EVP_PKEY_get_bits(key) < kMinRsaBits || EVP_PKEY_get_bits(key) > kMaxRsaBits) {
        throw FormatError(
            fmt::format("an RSA key of {} bits can't sign here", EVP_PKEY_get_bits(key)),
            fmt::format("use one of {} to {} bits", kMinRsaBits, kMaxRsaBits));
      }
      return KeyType::rsa;
    default:
      throw FormatError("a key that is neither ECDSA, RSA nor Ed25519 can't sign here");
  }
}

}  // namespace

Bytes hash(Hash algorithm, ByteView bytes) {
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (EVP_Digest(bytes.data(),
                 bytes.size(),
                 reinterpret_cast<unsigned char*>(digest.data()),
                 &size,
                 md_of(algorithm),
                 nullptr) != 1) {
    throw Error("computing a hash: OpenSSL failed");
  }
  digest.resize(size);
  return digest;
}

struct PublicKey::Key {
  Handle<EVP_PKEY, EVP_PKEY_free> evp;
  Bytes spki;
  KeyType type;
};

namespace {

void check_size(ByteView spki) {
  if (spki.size() > kMaxKeyBytes) {
    throw FormatError(
        fmt::format("a public key has {} bytes; at most {} are read", spki.size(), kMaxKeyBytes));
  }
}

}  // namespace

PublicKey PublicKey::parse_der(ByteView spki) {
  check_size(spki);
  const unsigned char* at = raw(spki);
  const Handle<EVP_PKEY, EVP_PKEY_free> evp{
      d2i_PUBKEY(nullptr, &at, static_cast<long>(spki.size()))};
  return of(evp.get(), spki);
}

PublicKey PublicKey::of(evp_pkey_st* key, ByteView spki) {
  check_size(spki);
  Handle<EVP_PKEY, EVP_PKEY_free> evp{key != nullptr && EVP_PKEY_up_ref(key) == 1 ? key : nullptr};
  // Written again it must be the same: identities of keys are hashes of these bytes.
  if (!evp || encoded(evp.get()) != Bytes(spki.begin(), spki.end())) {
    ERR_clear_error();
    throw FormatError("a public key is not one SubjectPublicKeyInfo in DER");
  }
  const KeyType type = type_of(evp.get());
  return PublicKey(
      std::make_shared<const Key>(Key{std::move(evp), Bytes(spki.begin(), spki.end()), type}));
}

PublicKey PublicKey::parse_pem(std::string_view pem) {
  return parse_der(sigstore::parse_pem(pem, kLabel));
}

KeyType PublicKey::type() const {
  return key_->type;
}

Hash PublicKey::hash() const {
  switch (type()) {
    case KeyType::p384:
      return Hash::sha384;
    case KeyType::p521:
    case KeyType::ed25519:
      return Hash::sha512;
    case KeyType::p256:
    case KeyType::rsa:
      break;
  }
  return Hash::sha256;
}

const Bytes& PublicKey::spki() const {
  return key_->spki;
}

Digest PublicKey::id() const {
  return Digest::of(spki());
}

std::string PublicKey::pem() const {
  return to_pem(spki(), kLabel);
}

bool PublicKey::verify(ByteView message, ByteView signature) const {
  return verify(hash(), message, signature);
}

bool PublicKey::verify(Hash algorithm, ByteView message, ByteView signature) const {
  if (type() != KeyType::ed25519) {
    return verify_hashed(algorithm, sigstore::hash(algorithm, message), signature);
  }
  const Digesting context{EVP_MD_CTX_new()};
  const bool good =
      context &&
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_->evp.get()) == 1 &&
      EVP_DigestVerify(
          context.get(), raw(signature), signature.size(), raw(message), message.size()) == 1;
  ERR_clear_error();
  return good;
}

bool PublicKey::verify_hashed(Hash algorithm, ByteView hashed, ByteView signature) const {
  if (type() == KeyType::ed25519) {
    return false;
  }
  const EVP_MD* md = md_of(algorithm);
  if (hashed.size() != static_cast<std::size_t>(EVP_MD_get_size(md))) {
    return false;
  }
  const KeyContext context{EVP_PKEY_CTX_new(key_->evp.get(), nullptr)};
  const bool good =
      context && EVP_PKEY_verify_init(context.get()) == 1 &&
      (type() != KeyType::rsa ||
       EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1) &&
      EVP_PKEY_CTX_set_signature_md(context.get(), md) == 1 &&
      EVP_PKEY_verify(
          context.get(), raw(signature), signature.size(), raw(hashed), hashed.size()) == 1;
  ERR_clear_error();
  return good;
}

}  // namespace seed::sigstore
