#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "os/process.hpp"
#include "sigstore/keys.hpp"

namespace seed::sigstore {

/// Whatever makes signatures.
class SigningKey {
 public:
  virtual ~SigningKey() = default;
  virtual const PublicKey& public_key() const = 0;
  /// Over `message` with the key's own hash: DER for ECDSA, 64 bytes for Ed25519. It was checked
  /// with public_key() before it is returned.
  virtual Bytes sign(ByteView message) = 0;
};

/// Text that is wiped from memory when it goes.
class Secret {
 public:
  explicit Secret(std::string text) : text_(std::move(text)) {}

  Secret(Secret&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }

  Secret& operator=(Secret&&) = delete;

  ~Secret() { wipe(); }

  const std::string& text() const { return text_; }

 private:
  void wipe() noexcept;

  std::string text_;
};

/// A key held in the memory of this process: made for one signature, or read from a file. OpenSSL
/// wipes it when it goes.
class PrivateKey final : public SigningKey {
 public:
  /// Asked for only where the key is encrypted; nothing: there is none.
  using Password = std::function<std::optional<Secret>()>;

  /// A fresh key on P-256, never to leave the memory.
  static PrivateKey generate();
  /// One PEM block: `PRIVATE KEY` or `ENCRYPTED PRIVATE KEY` (PKCS #8, RFC 5958), or cosign's
  /// `ENCRYPTED SIGSTORE PRIVATE KEY` (also under its old name, `ENCRYPTED COSIGN PRIVATE KEY`);
  /// ECDSA on P-256, or Ed25519. Throws FormatError, and UsageError where the password is missing
  /// or wrong.
  static PrivateKey parse_pem(std::string_view pem, const Password& password);

  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) = delete;
  ~PrivateKey() override;

  const PublicKey& public_key() const override;
  Bytes sign(ByteView message) override;

 private:
  struct Key;

  explicit PrivateKey(std::unique_ptr<Key> key);

  std::unique_ptr<Key> key_;
};

/// A program that has the key elsewhere: PKCS #11, KMS. docs/signing.md, "A signer of your own":
///
///   PROGRAM ... public-key          prints the public key as PEM
///   PROGRAM ... sign sha256:HEX     gets the message on standard input, of which HEX is the hash,
///                                   and prints the signature as base64
class ExternalKey final : public SigningKey {
 public:
  /// Asks for the public key. `argv` is run as it is, by no shell. Throws UsageError where the
  /// program can't be run or says something else.
  ExternalKey(os::Runner& runner, std::vector<std::string> argv);

  const PublicKey& public_key() const override { return public_key_; }

  /// Throws Error with the program's own words where it fails, IntegrityError where what it prints
  /// is no signature by its key.
  Bytes sign(ByteView message) override;

 private:
  os::Runner& runner_;
  std::vector<std::string> argv_;
  PublicKey public_key_;
};

}  // namespace seed::sigstore
