#include "support/fake_tsa.hpp"

#include <openssl/err.h>
#include <openssl/ts.h>

#include "base/handle.hpp"
#include "support/openssl_check.hpp"

namespace seed::test {
namespace {

using Context = Handle<TS_RESP_CTX, TS_RESP_CTX_free>;

Issuer make_root(Time from, Time to) {
  TestKey key(sigstore::KeyType::p384);
  const CertificateRequest request{.key = key,
                                   .common_name = "tsa root",
                                   .from = from,
                                   .to = to,
                                   .extensions = {{"basicConstraints", "critical,CA:TRUE"},
                                                  {"keyUsage", "critical,keyCertSign,cRLSign"},
                                                  {"subjectKeyIdentifier", "hash"}}};
  return {issue(request, nullptr), key};
}

Issuer make_leaf(const Issuer& root, Time from, Time to) {
  TestKey key;
  const CertificateRequest request{.key = key,
                                   .common_name = "tsa",
                                   .from = from,
                                   .to = to,
                                   .extensions = {{"keyUsage", "critical,digitalSignature"},
                                                  {"extendedKeyUsage", "critical,timeStamping"},
                                                  {"authorityKeyIdentifier", "keyid"}}};
  return {issue(request, &root), key};
}

ASN1_INTEGER* next_serial(TS_resp_ctx*, void*) {
  static long serial = 7;
  ASN1_INTEGER* number = ASN1_INTEGER_new();
  ASN1_INTEGER_set(number, ++serial);
  return number;
}

int tell_time(TS_resp_ctx*, void* data, long* seconds, long* microseconds) {
  *seconds = *static_cast<long*>(data);
  *microseconds = 0;
  return 1;
}

const EVP_MD* md_of(sigstore::Hash hash) {
  return hash == sigstore::Hash::sha256 ? EVP_sha256() : EVP_sha512();
}

Bytes request_of(ByteView message, const FakeTsa::Options& options) {
  const Bytes hashed = sigstore::hash(options.hash, message);
  const Handle<TS_REQ, TS_REQ_free> request{TS_REQ_new()};
  const Handle<TS_MSG_IMPRINT, TS_MSG_IMPRINT_free> imprint{TS_MSG_IMPRINT_new()};
  const Handle<X509_ALGOR, X509_ALGOR_free> algorithm{X509_ALGOR_new()};
  X509_ALGOR_set_md(algorithm.get(), md_of(options.hash));
  check(TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) == 1 &&
            TS_MSG_IMPRINT_set_msg(
                imprint.get(),
                reinterpret_cast<unsigned char*>(const_cast<std::byte*>(hashed.data())),
                static_cast<int>(hashed.size())) == 1 &&
            TS_REQ_set_version(request.get(), 1) == 1 &&
            TS_REQ_set_msg_imprint(request.get(), imprint.get()) == 1 &&
            TS_REQ_set_cert_req(request.get(), options.embed_certificate ? 1 : 0) == 1,
        "timestamp request");
  unsigned char* der = nullptr;
  const int size = i2d_TS_REQ(request.get(), &der);
  const Bytes bytes(reinterpret_cast<std::byte*>(der), reinterpret_cast<std::byte*>(der) + size);
  OPENSSL_free(der);
  return bytes;
}

Bytes answer(TS_RESP_CTX* context, const Bytes& request) {
  const Handle<BIO, BIO_free_all> in{
      BIO_new_mem_buf(request.data(), static_cast<int>(request.size()))};
  const Handle<TS_RESP, TS_RESP_free> response{TS_RESP_create_response(context, in.get())};
  check(response != nullptr, "timestamp response");
  ERR_clear_error();
  unsigned char* der = nullptr;
  const int size = i2d_TS_RESP(response.get(), &der);
  const Bytes bytes(reinterpret_cast<std::byte*>(der), reinterpret_cast<std::byte*>(der) + size);
  OPENSSL_free(der);
  return bytes;
}

Context context_of(const Issuer& leaf, long* clock) {
  Context context{TS_RESP_CTX_new()};
  const Handle<ASN1_OBJECT, ASN1_OBJECT_free> policy{OBJ_txt2obj("1.3.6.1.4.1.57264.2", 1)};
  check(TS_RESP_CTX_set_signer_cert(context.get(), leaf.certificate.handle()) == 1 &&
            TS_RESP_CTX_set_signer_key(context.get(), leaf.key.handle()) == 1 &&
            TS_RESP_CTX_set_def_policy(context.get(), policy.get()) == 1 &&
            TS_RESP_CTX_set_signer_digest(context.get(), EVP_sha256()) == 1 &&
            TS_RESP_CTX_set_ess_cert_id_digest(context.get(), EVP_sha256()) == 1,
        "timestamp authority");
  TS_RESP_CTX_set_serial_cb(context.get(), next_serial, nullptr);
  TS_RESP_CTX_set_time_cb(context.get(), tell_time, clock);
  return context;
}

}  // namespace

sigstore::Certificate FakeTsa::reissued(const std::string& usage) const {
  const CertificateRequest request{.key = leaf.key,
                                   .common_name = "tsa",
                                   .from = leaf.certificate.not_before(),
                                   .to = leaf.certificate.not_after() - std::chrono::seconds(1),
                                   .extensions = {{"keyUsage", "critical,digitalSignature"},
                                                  {"extendedKeyUsage", usage},
                                                  {"authorityKeyIdentifier", "keyid"}},
                                   .serial = std::stol(leaf.certificate.serial(), nullptr, 16)};
  return issue(request, &root);
}

FakeTsa::FakeTsa(std::string url, Time from, Time to)
    : root(make_root(from, to)),
      leaf(make_leaf(root, from, to)),
      trusted_from(from),
      url_(std::move(url)) {}

Bytes FakeTsa::answer_request(ByteView request, Time time) const {
  long clock = time.time_since_epoch().count();
  const Context context = context_of(leaf, &clock);
  check(TS_RESP_CTX_add_md(context.get(), EVP_sha256()) == 1, "timestamp hash");
  return answer(context.get(), Bytes(request.begin(), request.end()));
}

Bytes FakeTsa::stamp(ByteView message, Time time, const Options& options) const {
  long clock = time.time_since_epoch().count();
  const Context context = context_of(leaf, &clock);
  check(TS_RESP_CTX_add_md(context.get(), md_of(options.hash)) == 1, "timestamp hash");
  return answer(context.get(), request_of(message, options));
}

Bytes FakeTsa::refusal(ByteView message) const {
  long clock = 0;
  // It knows no hash at all.
  return answer(context_of(leaf, &clock).get(), request_of(message, {}));
}

}  // namespace seed::test
