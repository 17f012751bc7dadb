#include "sigstore/private_key.hpp"

#include <array>

#include <fmt/core.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "base/text.hpp"
#include "sigstore/cosign_key.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/pem.hpp"
#include "sigstore/secretbox.hpp"

namespace seed::sigstore {
namespace {

using Pkey = Handle<EVP_PKEY, EVP_PKEY_free>;

const unsigned char* raw(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

/// Bytes of a key in the clear, for as long as they are needed.
class Wiped {
 public:
  explicit Wiped(Bytes bytes) : bytes_(std::move(bytes)) {}

  Wiped(const Wiped&) = delete;
  Wiped& operator=(const Wiped&) = delete;

  ~Wiped() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

  ByteView view() const { return bytes_; }

 private:
  Bytes bytes_;
};

PublicKey public_part(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  const Handle<unsigned char, [](unsigned char* buffer) { OPENSSL_free(buffer); }> owned{der};
  if (size <= 0) {
    throw Error("the public part of a key can't be had: OpenSSL failed");
  }
  return PublicKey::parse_der(
      ByteView(reinterpret_cast<const std::byte*>(der), static_cast<std::size_t>(size)));
}

/// What can be signed with, and what a log takes: P-256 and Ed25519.
void check_type(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519") == 1) {
    return;
  }
  std::array<char, 32> group{};
  std::size_t size = 0;
  if (EVP_PKEY_is_a(key, "EC") == 1 &&
      EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
      std::string_view(group.data(), size) == SN_X9_62_prime256v1) {
    return;
  }
  throw FormatError("the key is neither ECDSA on P-256 nor Ed25519",
                    "make one: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256");
}

Pkey key_of(const PKCS8_PRIV_KEY_INFO* info) {
  Pkey key{info == nullptr ? nullptr : EVP_PKCS82PKEY(info)};
  if (!key) {
    throw FormatError("the key is not PKCS #8, or of a kind that OpenSSL does not know");
  }
  check_type(key.get());
  return key;
}

Pkey plain_key(ByteView der) {
  const unsigned char* at = raw(der);
  const Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info{
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size()))};
  if (info && at != raw(der) + der.size()) {
    throw FormatError("there are bytes behind the key");
  }
  return key_of(info.get());
}

Secret password_from(const PrivateKey::Password& ask) {
  std::optional<Secret> password = ask ? ask() : std::nullopt;
  if (!password) {
    throw UsageError("the key is encrypted, and there is no password for it",
                     "put it into the variable NIX_SEED_KEY_PASSWORD (or COSIGN_PASSWORD)");
  }
  return std::move(*password);
}

[[noreturn]] void wrong_password() {
  throw UsageError("the password is not that of the key",
                   "look at the variable NIX_SEED_KEY_PASSWORD (or COSIGN_PASSWORD)");
}

Pkey encrypted_key(ByteView der, const PrivateKey::Password& ask) {
  const unsigned char* at = raw(der);
  const Handle<X509_SIG, X509_SIG_free> box{
      d2i_X509_SIG(nullptr, &at, static_cast<long>(der.size()))};
  if (!box || at != raw(der) + der.size()) {
    throw FormatError("the encrypted key is not PKCS #8");
  }
  const Secret password = password_from(ask);
  const Handle<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free> info{
      PKCS8_decrypt(box.get(), password.text().data(), static_cast<int>(password.text().size()))};
  if (!info) {
    wrong_password();
  }
  return key_of(info.get());
}

Pkey cosign_key(ByteView json, const PrivateKey::Password& ask) {
  const CosignKeyBox box = parse_cosign_key(text_of(json));
  const Secret password = password_from(ask);
  std::array<std::byte, kSecretboxKeyBytes> key{};
  if (EVP_PBE_scrypt(password.text().data(),
                     password.text().size(),
                     raw(box.salt),
                     box.salt.size(),
                     box.n,
                     box.r,
                     box.p,
                     kMaxScryptBytes + (1 << 20),
                     reinterpret_cast<unsigned char*>(key.data()),
                     key.size()) != 1) {
    throw Error("computing scrypt: OpenSSL failed", "there may be too little memory");
  }
  std::optional<Bytes> opened = open_secretbox(key, box.nonce, box.box);
  OPENSSL_cleanse(key.data(), key.size());
  if (!opened) {
    wrong_password();
  }
  const Wiped der(std::move(*opened));
  return plain_key(der.view());
}

}  // namespace

void Secret::wipe() noexcept {
  OPENSSL_cleanse(text_.data(), text_.capacity());
  text_.clear();
}

struct PrivateKey::Key {
  Pkey pkey;
  PublicKey public_key;
};

PrivateKey::PrivateKey(std::unique_ptr<Key> key) : key_(std::move(key)) {}

PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

PrivateKey PrivateKey::generate() {
  Pkey key{EVP_EC_gen(SN_X9_62_prime256v1)};
  if (!key) {
    throw Error("making a key: OpenSSL failed", "this machine may give no random numbers");
  }
  PublicKey open = public_part(key.get());
  return PrivateKey(std::make_unique<Key>(Key{std::move(key), std::move(open)}));
}

PrivateKey PrivateKey::parse_pem(std::string_view pem, const Password& password) {
  const std::string label(pem_label(pem));
  const bool is_cosigns =
      label == "ENCRYPTED SIGSTORE PRIVATE KEY" || label == "ENCRYPTED COSIGN PRIVATE KEY";
  if (label != "PRIVATE KEY" && label != "ENCRYPTED PRIVATE KEY" && !is_cosigns) {
    throw FormatError(fmt::format("'{}' is no private key that is read here", printable(label, 60)),
                      "convert it: openssl pkcs8 -topk8 -in OLD -out NEW");
  }
  const Wiped bytes(sigstore::parse_pem(pem, label));
  Pkey key = is_cosigns               ? cosign_key(bytes.view(), password)
             : label == "PRIVATE KEY" ? plain_key(bytes.view())
                                      : encrypted_key(bytes.view(), password);
  PublicKey open = public_part(key.get());
  return PrivateKey(std::make_unique<Key>(Key{std::move(key), std::move(open)}));
}

const PublicKey& PrivateKey::public_key() const {
  return key_->public_key;
}

Bytes PrivateKey::sign(ByteView message) {
  const EVP_MD* md = key_->public_key.type() == KeyType::ed25519 ? nullptr : EVP_sha256();
  const Handle<EVP_MD_CTX, EVP_MD_CTX_free> context{EVP_MD_CTX_new()};
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, md, nullptr, key_->pkey.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, raw(message), message.size()) != 1) {
    throw Error("signing: OpenSSL failed");
  }
  Bytes signature(size);
  if (EVP_DigestSign(context.get(),
                     reinterpret_cast<unsigned char*>(signature.data()),
                     &size,
                     raw(message),
                     message.size()) != 1) {
    throw Error("signing: OpenSSL failed");
  }
  signature.resize(size);
  if (!key_->public_key.verify(message, signature)) {
    throw Error("signing: the signature that OpenSSL made does not verify");
  }
  return signature;
}

}  // namespace seed::sigstore
