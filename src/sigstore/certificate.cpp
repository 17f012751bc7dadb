#include "sigstore/certificate.hpp"

#include <array>

#include <fmt/core.h>
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "base/text.hpp"
#include "sigstore/asn1_time.hpp"
#include "sigstore/der.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/pem.hpp"

namespace seed::sigstore {
namespace {

using Object = Handle<ASN1_OBJECT, ASN1_OBJECT_free>;
using Names = Handle<GENERAL_NAMES, GENERAL_NAMES_free>;

constexpr std::string_view kLabel = "CERTIFICATE";
constexpr long kVersion3 = 2;

struct FreeOpenssl {
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};

/// The owner of what an i2d function allocated.
Bytes take(unsigned char* bytes, int size) {
  const std::unique_ptr<unsigned char, FreeOpenssl> owned(bytes);
  if (size <= 0) {
    ERR_clear_error();
    throw Error("writing DER: OpenSSL failed");
  }
  const auto* first = reinterpret_cast<const std::byte*>(bytes);
  return {first, first + size};
}

ByteView view(const ASN1_STRING* string) {
  return {reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

Bytes spki_of(X509* x509) {
  unsigned char* out = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &out);
  return take(out, size);
}

void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Text that goes into comparisons and messages: UTF-8 without control characters.
std::string checked_text(ByteView bytes, std::string_view what) {
  const std::string_view text = text_of(bytes);
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    if (length == 0 || is_control(rest.substr(0, length))) {
      throw FormatError(fmt::format("certificate: {} is not plain text", what));
    }
    rest.remove_prefix(length);
  }
  return std::string(text);
}

}  // namespace

struct Certificate::State {
  Handle<X509, X509_free> x509;
  Bytes der;
  Time not_before;
  Time not_after;
};

Certificate Certificate::parse_der(ByteView der) {
  if (der.size() > kMaxCertificateBytes) {
    throw FormatError(fmt::format(
        "a certificate has {} bytes; at most {} are read", der.size(), kMaxCertificateBytes));
  }
  const auto* first = reinterpret_cast<const unsigned char*>(der.data());
  const unsigned char* at = first;
  Handle<X509, X509_free> x509{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
  ERR_clear_error();
  if (!x509 || at != first + der.size()) {
    throw FormatError("a certificate is not one X.509 certificate in DER");
  }
  if (X509_get_version(x509.get()) != kVersion3) {
    throw FormatError("a certificate is not of X.509 version 3");
  }
  // Reads the extensions into OpenSSL's cache, so that nothing is written later.
  const bool extensions = X509_check_purpose(x509.get(), -1, 0) == 1;
  ERR_clear_error();
  if (!extensions) {
    throw FormatError("a certificate has an extension that is malformed");
  }
  const Time begin = time_of(X509_get0_notBefore(x509.get()));
  const Time end = time_of(X509_get0_notAfter(x509.get()));
  return Certificate(std::make_shared<const State>(
      State{std::move(x509), Bytes(der.begin(), der.end()), begin, end}));
}

Certificate Certificate::parse_pem(std::string_view pem) {
  return parse_der(sigstore::parse_pem(pem, kLabel));
}

std::vector<Certificate> Certificate::parse_pem_chain(std::string_view pem) {
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  std::vector<Certificate> chain;
  for (std::string_view rest = trim(pem); !rest.empty(); rest = trim(rest)) {
    const std::size_t end = rest.find(kEnd);
    if (end == rest.npos || chain.size() == kMaxChain) {
      throw FormatError(fmt::format("not 1 to {} certificates in PEM", kMaxChain));
    }
    chain.push_back(parse_pem(rest.substr(0, end + kEnd.size())));
    rest.remove_prefix(end + kEnd.size());
  }
  return chain;
}

const Bytes& Certificate::der() const {
  return state_->der;
}

std::string Certificate::pem() const {
  return to_pem(der(), kLabel);
}

PublicKey Certificate::key() const {
  return PublicKey::of(X509_get0_pubkey(handle()), spki_of(handle()));
}

Digest Certificate::spki_digest() const {
  return Digest::of(spki_of(handle()));
}

Time Certificate::not_before() const {
  return state_->not_before;
}

Time Certificate::not_after() const {
  return state_->not_after;
}

bool Certificate::is_ca() const {
  // X509_check_ca alone takes CA:TRUE for an end entity's where the key usage lacks keyCertSign.
  return (X509_get_extension_flags(handle()) & EXFLAG_CA) != 0 || X509_check_ca(handle()) != 0;
}

bool Certificate::is_self_issued() const {
  return X509_NAME_cmp(X509_get_subject_name(handle()), X509_get_issuer_name(handle())) == 0;
}

std::string Certificate::subject() const {
  const Handle<BIO, BIO_free_all> out{BIO_new(BIO_s_mem())};
  char* text = nullptr;
  if (!out ||
      X509_NAME_print_ex(out.get(), X509_get_subject_name(handle()), 0, XN_FLAG_ONELINE) < 0) {
    ERR_clear_error();
    return {};
  }
  const long size = BIO_get_mem_data(out.get(), &text);
  return printable({text, static_cast<std::size_t>(size)});
}

std::string Certificate::serial() const {
  const Handle<BIGNUM, BN_free> number{
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(handle()), nullptr)};
  char* text = number ? BN_bn2hex(number.get()) : nullptr;
  const std::unique_ptr<char, decltype([](char* p) { OPENSSL_free(p); })> owned(text);
  return text == nullptr ? std::string() : to_lower(text);
}

std::optional<Bytes> Certificate::extension(const char* oid) const {
  const Object object{OBJ_txt2obj(oid, 1)};
  const int index = X509_get_ext_by_OBJ(handle(), object.get(), -1);
  if (index < 0) {
    return std::nullopt;
  }
  if (X509_get_ext_by_OBJ(handle(), object.get(), index) >= 0) {
    throw FormatError(fmt::format("certificate: the extension {} is there twice", oid));
  }
  const ByteView content = view(X509_EXTENSION_get_data(X509_get_ext(handle(), index)));
  return Bytes(content.begin(), content.end());
}

Bytes Certificate::tbs_without_scts() const {
  constexpr const char* kWhat = "certificate";
  // 1.3.6.1.4.1.11129.2.4.2, whole
  constexpr std::string_view kSctList("\x06\x0a\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02", 12);
  constexpr std::uint8_t kExtensions = 0xa3;  // [3] EXPLICIT
  ByteView certificate = only_der(der(), kDerSequence, kWhat).content;
  ByteView fields = take_der(certificate, kWhat).content;
  Bytes tbs;
  bool found = false;
  while (!fields.empty()) {
    const Der field = take_der(fields, kWhat);
    if (field.tag != kExtensions) {
      append(tbs, field.whole);
      continue;
    }
    Bytes kept;
    ByteView extensions = only_der(field.content, kDerSequence, kWhat).content;
    while (!extensions.empty()) {
      const Der extension = take_der(extensions, kWhat);
      ByteView parts = extension.content;
      const bool is_list = text_of(take_der(parts, kWhat).whole) == kSctList;
      found |= is_list;
      if (!is_list) {
        append(kept, extension.whole);
      }
    }
    append(tbs, to_der(kExtensions, to_der(kDerSequence, kept)));
  }
  if (!found) {
    throw IntegrityError("the certificate has no list of SCTs");
  }
  return to_der(kDerSequence, tbs);
}

x509_st* Certificate::handle() const {
  return state_->x509.get();
}

void check_signing_certificate(const Certificate& certificate) {
  X509* x509 = certificate.handle();
  const std::uint32_t flags = X509_get_extension_flags(x509);
  if (certificate.is_ca()) {
    throw IntegrityError("the signer's certificate is an authority's");
  }
  if ((flags & EXFLAG_KUSAGE) == 0 || (X509_get_key_usage(x509) & KU_DIGITAL_SIGNATURE) == 0) {
    throw IntegrityError("the signer's certificate lacks the key usage digitalSignature");
  }
  if ((flags & EXFLAG_XKUSAGE) == 0 || (X509_get_extended_key_usage(x509) & XKU_CODE_SIGN) == 0) {
    throw IntegrityError("the signer's certificate lacks the extended key usage codeSigning");
  }
}

namespace {

/// fulcio's oid-info.md: from .8 on the content is a UTF8String, before it the bare text.
std::string fulcio_text(const Certificate& certificate, int number) {
  const std::string oid = fmt::format("1.3.6.1.4.1.57264.1.{}", number);
  const auto content = certificate.extension(oid.c_str());
  if (!content) {
    return {};
  }
  if (number < 8) {
    return checked_text(*content, oid);
  }
  const auto* first = reinterpret_cast<const unsigned char*>(content->data());
  const unsigned char* at = first;
  const Handle<ASN1_UTF8STRING, ASN1_UTF8STRING_free> text{
      d2i_ASN1_UTF8STRING(nullptr, &at, static_cast<long>(content->size()))};
  ERR_clear_error();
  if (!text || at != first + content->size()) {
    throw FormatError(fmt::format("certificate: {} is not a UTF8String", oid));
  }
  return checked_text(view(text.get()), oid);
}

std::string other_name(const OTHERNAME& name) {
  const Object username{OBJ_txt2obj("1.3.6.1.4.1.57264.1.7", 1)};
  if (OBJ_cmp(name.type_id, username.get()) != 0 || name.value->type != V_ASN1_UTF8STRING) {
    throw FormatError("certificate: the alternative name is of a type that Fulcio does not use");
  }
  return checked_text(view(name.value->value.utf8string), "the alternative name");
}

std::string alternative_name(const Certificate& certificate) {
  int critical = 0;
  const Names names{static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate.handle(), NID_subject_alt_name, &critical, nullptr))};
  ERR_clear_error();
  if (!names || sk_GENERAL_NAME_num(names.get()) != 1) {
    throw FormatError("certificate: there is not exactly one subject alternative name");
  }
  const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), 0);
  std::string text;
  switch (name->type) {
    case GEN_URI:
    case GEN_EMAIL:
      text = checked_text(view(name->d.ia5), "the alternative name");
      break;
    case GEN_OTHERNAME:
      text = other_name(*name->d.otherName);
      break;
    default:
      throw FormatError("certificate: the alternative name is neither URI, e-mail nor user name");
  }
  if (text.empty()) {
    throw FormatError("certificate: the alternative name is empty");
  }
  return text;
}

}  // namespace

Signer signer_of(const Certificate& certificate) {
  const auto text = [&](int number) { return fulcio_text(certificate, number); };
  const std::string old_issuer = text(1);
  Signer signer{.issuer = text(8),
                .subject = alternative_name(certificate),
                .build_signer_uri = text(9),
                .build_signer_digest = text(10),
                .runner_environment = text(11),
                .source_repository_uri = text(12),
                .source_digest = text(13),
                .source_ref = text(14),
                .source_repository_id = text(15),
                .source_owner_uri = text(16),
                .source_owner_id = text(17),
                .build_config_uri = text(18),
                .build_config_digest = text(19),
                .build_trigger = text(20),
                .run_invocation_uri = text(21),
                .visibility = text(22),
                .environment = text(23),
                .token_subject = text(24)};
  if (signer.issuer.empty()) {
    signer.issuer = old_issuer;
  } else if (!old_issuer.empty() && old_issuer != signer.issuer) {
    throw FormatError(fmt::format("certificate: it names two issuers, '{}' and '{}'",
                                  printable(signer.issuer),
                                  printable(old_issuer)));
  }
  if (signer.issuer.empty()) {
    throw FormatError("certificate: it names no issuer");
  }
  return signer;
}

}  // namespace seed::sigstore
