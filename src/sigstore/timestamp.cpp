#include "sigstore/timestamp.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <openssl/bn.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ess.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "base/text.hpp"
#include "sigstore/asn1_time.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::sigstore {
namespace {

using Response = Handle<TS_RESP, TS_RESP_free>;
using Cms = Handle<CMS_ContentInfo, CMS_ContentInfo_free>;
using Info = Handle<TS_TST_INFO, TS_TST_INFO_free>;
using Borrowed =
    std::unique_ptr<STACK_OF(X509), decltype([](STACK_OF(X509) * s) { sk_X509_free(s); })>;
using Owned = std::unique_ptr<STACK_OF(X509),
                              decltype([](STACK_OF(X509) * s) { sk_X509_pop_free(s, X509_free); })>;

[[noreturn]] void refuse(std::string_view why) {
  ERR_clear_error();
  throw FormatError(fmt::format("timestamp: {}", why));
}

const unsigned char* raw(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

ByteView view(const ASN1_STRING* string) {
  return {reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

/// The token's signed data and what it holds.
struct Token {
  Cms cms;
  Info info;
  CMS_SignerInfo* signer;
  TimestampFacts facts;
};

Cms cms_of(const TS_RESP& response) {
  TS_STATUS_INFO* status = TS_RESP_get_status_info(const_cast<TS_RESP*>(&response));
  const std::int64_t code = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(status));
  PKCS7* token = TS_RESP_get_token(const_cast<TS_RESP*>(&response));
  if (code != TS_STATUS_GRANTED && code != TS_STATUS_GRANTED_WITH_MODS) {
    refuse(fmt::format("its status is {}, not granted", code));
  }
  unsigned char* der = nullptr;
  const int size = token == nullptr ? 0 : i2d_PKCS7(token, &der);
  const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })> owned(
      der);
  const unsigned char* at = der;
  Cms cms{size > 0 ? d2i_CMS_ContentInfo(nullptr, &at, size) : nullptr};
  if (!cms || OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_pkcs7_signed ||
      OBJ_obj2nid(CMS_get0_eContentType(cms.get())) != NID_id_smime_ct_TSTInfo) {
    refuse("it has no token of a time-stamp authority");
  }
  return cms;
}

Info info_of(CMS_ContentInfo* cms) {
  ASN1_OCTET_STRING** content = CMS_get0_content(cms);
  if (content == nullptr || *content == nullptr) {
    refuse("its token is empty");
  }
  const ByteView bytes = view(*content);
  const unsigned char* at = raw(bytes);
  Info info{d2i_TS_TST_INFO(nullptr, &at, static_cast<long>(bytes.size()))};
  if (!info || at != raw(bytes) + bytes.size()) {
    refuse("its TSTInfo is malformed");
  }
  if (TS_TST_INFO_get_version(info.get()) != 1) {
    refuse("its TSTInfo is not of version 1");
  }
  return info;
}

Hash hash_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* name = nullptr;
  X509_ALGOR_get0(&name, nullptr, nullptr, algorithm);
  switch (OBJ_obj2nid(name)) {
    case NID_sha256:
      return Hash::sha256;
    case NID_sha384:
      return Hash::sha384;
    case NID_sha512:
      return Hash::sha512;
    default:
      refuse("its imprint is by a hash other than SHA-256, SHA-384 and SHA-512");
  }
}

TimestampFacts facts_of(TS_TST_INFO* info) {
  TS_MSG_IMPRINT* imprint = TS_TST_INFO_get_msg_imprint(info);
  const ByteView hashed = view(TS_MSG_IMPRINT_get_msg(imprint));
  TimestampFacts facts{.time = time_of(TS_TST_INFO_get_time(info)),
                       .algorithm = hash_of(TS_MSG_IMPRINT_get_algo(imprint)),
                       .imprint = Bytes(hashed.begin(), hashed.end()),
                       .nonce = std::nullopt};
  if (const ASN1_INTEGER* nonce = TS_TST_INFO_get_nonce(info)) {
    const Handle<BIGNUM, BN_free> number{ASN1_INTEGER_to_BN(nonce, nullptr)};
    const std::unique_ptr<char, decltype([](char* p) { OPENSSL_free(p); })> text(
        number ? BN_bn2hex(number.get()) : nullptr);
    facts.nonce = text ? to_lower(text.get()) : std::string();
  }
  return facts;
}

Token parse(ByteView bytes) {
  if (bytes.size() > kMaxTimestampBytes) {
    refuse(fmt::format("it has {} bytes; at most {} are read", bytes.size(), kMaxTimestampBytes));
  }
  const unsigned char* at = raw(bytes);
  const Response response{d2i_TS_RESP(nullptr, &at, static_cast<long>(bytes.size()))};
  if (!response || at != raw(bytes) + bytes.size()) {
    refuse("it is not one TimeStampResp in DER");
  }
  Cms cms = cms_of(*response);
  Info info = info_of(cms.get());
  STACK_OF(CMS_SignerInfo)* signers = CMS_get0_SignerInfos(cms.get());
  if (signers == nullptr || sk_CMS_SignerInfo_num(signers) != 1) {
    refuse("it is not signed by exactly one authority");
  }
  CMS_SignerInfo* signer = sk_CMS_SignerInfo_value(signers, 0);
  TimestampFacts facts = facts_of(info.get());
  ERR_clear_error();
  return {std::move(cms), std::move(info), signer, std::move(facts)};
}

/// The certificate that the token says it is signed with, if `authority` vouches for it: the first
/// of its chain, or, where that is an authority itself, one in the token that the chain issued.
std::optional<Certificate> signer_of(const Token& token, const TrustedAuthority& authority) {
  const Certificate& first = authority.chain.certificates().front();
  if (!first.is_ca()) {
    // CMS_SignerInfo_cert_cmp compares issuer and serial, or the key identifier.
    return CMS_SignerInfo_cert_cmp(token.signer, first.handle()) == 0 ? std::optional(first)
                                                                      : std::nullopt;
  }
  const Owned embedded{CMS_get1_certs(token.cms.get())};
  for (int i = 0; embedded && i < sk_X509_num(embedded.get()); ++i) {
    X509* candidate = sk_X509_value(embedded.get(), i);
    if (CMS_SignerInfo_cert_cmp(token.signer, candidate) == 0 &&
        X509_check_issued(first.handle(), candidate) == X509_V_OK) {
      unsigned char* der = nullptr;
      const int size = i2d_X509(candidate, &der);
      const std::unique_ptr<unsigned char, decltype([](unsigned char* p) { OPENSSL_free(p); })>
          owned(der);
      return Certificate::parse_der(std::as_bytes(std::span(der, static_cast<std::size_t>(size))));
    }
  }
  return std::nullopt;
}

/// RFC 3161 §2.3: timeStamping alone, and critical.
void check_usage(const Certificate& signer) {
  X509* x509 = signer.handle();
  int critical = 0;
  const std::unique_ptr<EXTENDED_KEY_USAGE,
                        decltype([](EXTENDED_KEY_USAGE* p) { EXTENDED_KEY_USAGE_free(p); })>
      usages(static_cast<EXTENDED_KEY_USAGE*>(
          X509_get_ext_d2i(x509, NID_ext_key_usage, &critical, nullptr)));
  if (signer.is_ca() || !usages || critical != 1 || sk_ASN1_OBJECT_num(usages.get()) != 1 ||
      OBJ_obj2nid(sk_ASN1_OBJECT_value(usages.get(), 0)) != NID_time_stamp) {
    throw IntegrityError(
        "the time-stamp authority's certificate is not for timeStamping alone, and critically so");
  }
}

/// RFC 5816: the token names the certificate it is signed with inside what is signed.
void check_named_certificate(const Token& token, const Certificate& signer, const Chain& chain) {
  // The token may name the signer's own certificate alone, first, or authorities above it as well.
  const Borrowed known{sk_X509_new_null()};
  bool room = known && sk_X509_push(known.get(), signer.handle()) > 0;
  for (const Certificate& certificate : chain.certificates()) {
    room = room && sk_X509_push(known.get(), certificate.handle()) > 0;
  }
  if (!room) {
    throw Error("checking a timestamp: out of memory");
  }
  const auto attribute = [&](int nid) {
    return static_cast<ASN1_STRING*>(
        CMS_signed_get0_data_by_OBJ(token.signer, OBJ_nid2obj(nid), -3, V_ASN1_SEQUENCE));
  };
  const ASN1_STRING* first = attribute(NID_id_smime_aa_signingCertificate);
  const ASN1_STRING* second = attribute(NID_id_smime_aa_signingCertificateV2);
  const unsigned char* at = first == nullptr ? nullptr : ASN1_STRING_get0_data(first);
  const Handle<ESS_SIGNING_CERT, ESS_SIGNING_CERT_free> v1{
      first == nullptr ? nullptr : d2i_ESS_SIGNING_CERT(nullptr, &at, ASN1_STRING_length(first))};
  at = second == nullptr ? nullptr : ASN1_STRING_get0_data(second);
  const Handle<ESS_SIGNING_CERT_V2, ESS_SIGNING_CERT_V2_free> v2{
      second == nullptr ? nullptr
                        : d2i_ESS_SIGNING_CERT_V2(nullptr, &at, ASN1_STRING_length(second))};
  const bool good = OSSL_ESS_check_signing_certs(v1.get(), v2.get(), known.get(), 1) > 0;
  ERR_clear_error();
  if (!good) {
    throw IntegrityError("the timestamp names another certificate than it is signed with");
  }
}

/// The signature over the token, by `signer` and no certificate that came along.
void check_signature(const Token& token, const Certificate& signer) {
  const Borrowed certificates{sk_X509_new_null()};
  const Handle<BIO, BIO_free_all> content{BIO_new(BIO_s_mem())};
  if (!certificates || !content || sk_X509_push(certificates.get(), signer.handle()) <= 0) {
    throw Error("checking a timestamp: out of memory");
  }
  const bool good = CMS_verify(token.cms.get(),
                               certificates.get(),
                               nullptr,
                               nullptr,
                               content.get(),
                               CMS_NOINTERN | CMS_NO_SIGNER_CERT_VERIFY | CMS_BINARY) == 1;
  ERR_clear_error();
  if (!good) {
    throw IntegrityError("the timestamp's signature is not its authority's");
  }
}

void check_token(const Token& token, const Certificate& signer, const TrustedAuthority& authority) {
  const Time time = token.facts.time;
  check_usage(signer);
  const Certificate& issuer = authority.chain.issuer_of(signer, Purpose::timestamping);
  check_signature(token, signer);
  check_named_certificate(token, signer, authority.chain);
  if (!authority.validity.contains(time)) {
    throw IntegrityError(
        fmt::format("the timestamp is of {}, when its authority {} was not trusted",
                    to_rfc3339(time),
                    authority.uri));
  }
  if (const auto why = authority.chain.invalid_at(time, signer, issuer)) {
    throw IntegrityError(fmt::format("the time-stamp authority was not good then: {}", *why));
  }
}

}  // namespace

TimestampFacts parse_timestamp(ByteView response) {
  return parse(response).facts;
}

std::optional<ProvenTime> check_timestamp(ByteView response,
                                          ByteView message,
                                          const std::vector<TrustedAuthority>& authorities) {
  const Token token = parse(response);
  std::optional<IntegrityError> problem;
  for (const TrustedAuthority& authority : authorities) {
    const auto signer = signer_of(token, authority);
    if (!signer) {
      continue;
    }
    try {
      if (hash(token.facts.algorithm, message) != token.facts.imprint) {
        throw IntegrityError("the timestamp is not over this signature");
      }
      check_token(token, *signer, authority);
      return ProvenTime{token.facts.time, &authority};
    } catch (const IntegrityError& error) {
      // The same authority may be listed for another time.
      problem = problem.value_or(error);
    }
  }
  if (problem) {
    throw IntegrityError(*problem);
  }
  return std::nullopt;
}

}  // namespace seed::sigstore
