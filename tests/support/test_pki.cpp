#include "support/test_pki.hpp"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/encoding.hpp"
#include "base/handle.hpp"
#include "support/openssl_check.hpp"

namespace seed::test {
namespace {

bool is_ed25519(const TestKey& key) {
  return EVP_PKEY_get_base_id(key.handle()) == EVP_PKEY_ED25519;
}

void add_extension(X509* x509, X509* issuer, const std::string& name, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  const Handle<X509_EXTENSION, X509_EXTENSION_free> extension{
      X509V3_EXT_nconf(nullptr, &context, name.c_str(), value.c_str())};
  check(extension != nullptr, name + " = " + value);
  check(X509_add_ext(x509, extension.get(), -1) == 1, name);
}

void set_times(X509* x509, const CertificateRequest& request) {
  check(
      ASN1_TIME_set(X509_getm_notBefore(x509), request.from.time_since_epoch().count()) != nullptr,
      "not before");
  check(ASN1_TIME_set(X509_getm_notAfter(x509), request.to.time_since_epoch().count()) != nullptr,
        "not after");
}

void set_names(X509* x509, const CertificateRequest& request, const Issuer* issuer) {
  if (!request.common_name.empty()) {
    check(X509_NAME_add_entry_by_txt(
              X509_get_subject_name(x509),
              "CN",
              MBSTRING_UTF8,
              reinterpret_cast<const unsigned char*>(request.common_name.c_str()),
              -1,
              -1,
              0) == 1,
          "subject");
  }
  X509_NAME* name = issuer == nullptr ? X509_get_subject_name(x509)
                                      : X509_get_subject_name(issuer->certificate.handle());
  check(X509_set_issuer_name(x509, name) == 1, "issuer");
}

}  // namespace

std::string der_extension(ByteView content) {
  return "DER:" + to_hex(content);
}

sigstore::Certificate issue(const CertificateRequest& request, const Issuer* issuer) {
  return issue(request, issuer, {});
}

sigstore::Certificate issue(const CertificateRequest& request,
                            const Issuer* issuer,
                            const Promise& promise) {
  const Handle<X509, X509_free> x509{X509_new()};
  static long serial = 1000;
  const TestKey& signer = issuer == nullptr ? request.key : issuer->key;
  check(X509_set_version(x509.get(), 2) == 1 &&
            ASN1_INTEGER_set(X509_get_serialNumber(x509.get()),
                             request.serial == 0 ? ++serial : request.serial) == 1 &&
            X509_set_pubkey(x509.get(), request.key.handle()) == 1,
        "certificate");
  set_times(x509.get(), request);
  set_names(x509.get(), request, issuer);
  X509* above = issuer == nullptr ? x509.get() : issuer->certificate.handle();
  for (const auto& [name, value] : request.extensions) {
    add_extension(x509.get(), above, name, value);
  }
  const EVP_MD* md = is_ed25519(signer) ? nullptr : EVP_sha256();
  check(X509_sign(x509.get(), signer.handle(), md) > 0, "signing a certificate");
  if (promise) {
    unsigned char* der = nullptr;
    const int size = i2d_re_X509_tbs(x509.get(), &der);
    const Bytes list = promise(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
    OPENSSL_free(der);
    if (!list.empty()) {
      add_extension(x509.get(), above, "1.3.6.1.4.1.11129.2.4.2", der_extension(list));
      check(X509_sign(x509.get(), signer.handle(), md) > 0, "signing a certificate");
    }
  }
  unsigned char* der = nullptr;
  const int size = i2d_X509(x509.get(), &der);
  const Bytes bytes(reinterpret_cast<std::byte*>(der), reinterpret_cast<std::byte*>(der) + size);
  OPENSSL_free(der);
  return sigstore::Certificate::parse_der(bytes);
}

}  // namespace seed::test
