#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/digest.hpp"
#include "base/encoding.hpp"
#include "sigstore/bundle.hpp"
#include "trust/discovery.hpp"
#include "trust/provenance.hpp"

namespace seed::test {

/// A builder that signs with a P-256 key of its own, as OpenSSL signs, and no log.
class KeyBuilder {
 public:
  KeyBuilder() : key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {}

  std::string pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
    PEM_write_bio_PUBKEY(out.get(), key_.get());
    char* data = nullptr;
    const long size = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(size)};
  }

  /// Base64 of the key's SHA-256, as cosign names keys.
  std::string hint() const {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key_.get(), &der);
    const Digest id = Digest::of(
        ByteView(reinterpret_cast<const std::byte*>(der), static_cast<std::size_t>(size)));
    OPENSSL_free(der);
    return to_base64(id.raw());
  }

  Bytes sign(std::string_view message) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
    std::size_t size = 0;
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
    EVP_DigestSign(context.get(), nullptr, &size, bytes, message.size());
    Bytes signature(size);
    EVP_DigestSign(context.get(),
                   reinterpret_cast<unsigned char*>(signature.data()),
                   &size,
                   bytes,
                   message.size());
    signature.resize(size);
    return signature;
  }

  std::string bundle(std::string_view statement) const {
    const sigstore::Bundle bundle{
        .material = sigstore::PublicKeyHint{hint()},
        .content = sigstore::DsseEnvelope{
            .payload = std::string(statement),
            .payload_type = "application/vnd.in-toto+json",
            .signature = {.signature =
                              sign(sigstore::pae("application/vnd.in-toto+json", statement))}}};
    return sigstore::to_json(bundle);
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

/// What a builder says of an image that it built from a commit.
inline std::string built(const Digest& artifact,
                         const std::string& commit,
                         const std::string& closure = "closure",
                         const std::string& system = "x86_64-linux") {
  return trust::provenance_statement(
      {.build_type = std::string(trust::kSeedBuildType),
       .subjects = {{"registry.test/acme/app", artifact}, {"closure", Digest::of(closure)}},
       .external = {{"commit", commit},
                    {"source", "https://git.example.org/acme/app"},
                    {"system", system}},
       .materials = {{.name = "source",
                      .uri = "git+https://git.example.org/acme/app",
                      .digest = {{"gitCommit", commit}}}},
       .builder = {.id = "https://ci.example.org/builder"}});
}

inline trust::Candidate candidate(std::string bytes, std::string from = "a test") {
  const Digest digest = Digest::of(bytes);
  return {std::move(bytes), digest, std::move(from)};
}

}  // namespace seed::test
