#include "sigstore/sct.hpp"

#include <nlohmann/json.hpp>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "sigstore/der.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

// DER and the list of SCTs in it, byte by byte, on what a log on the loopback signed.

namespace seed::sigstore {
namespace {

const std::string kList = test::checkout_file("tests/fuzz/corpus/sigstore_sct_list/log");

std::string why(const std::string& list) {
  try {
    parse_sct_list(bytes_of(list));
  } catch (const FormatError& error) {
    return error.message();
  }
  return "accepted";
}

/// The list with one byte changed by `difference`.
std::string with(std::size_t at, int difference) {
  std::string list = kList;
  list.at(at) = static_cast<char>(list.at(at) + difference);
  return list;
}

std::string why_der(std::string_view hex) {
  const Bytes bytes = from_hex(hex).value();
  try {
    ByteView rest = bytes;
    take_der(rest, "thing");
    return rest.empty() ? "accepted" : "accepted, and more";
  } catch (const FormatError& error) {
    return error.message();
  }
}

}  // namespace

TEST_CASE("an element of DER has the one length that DER allows") {
  CHECK(why_der("0400") == "accepted");
  CHECK(why_der("040100") == "accepted");
  CHECK(why_der("04010000") == "accepted, and more");
  CHECK(why_der("") == "thing: it ends in the middle of an element");
  CHECK(why_der("04") == "thing: it ends in the middle of an element");
  CHECK(why_der("0402ff") == "thing: it ends in the middle of an element");
  CHECK(why_der("0482ff") == "thing: it ends in the middle of an element");
  CHECK(why_der("1f2000") == "thing: a tag is of the long form");
  CHECK(why_der("30800000") == "thing: a length is not one of DER, or too long");
  CHECK(why_der("308400000001ff") == "thing: a length is not one of DER, or too long");
  CHECK(why_der("04817f") == "thing: a length is not the shortest, as in DER");
  CHECK(why_der("048200ff") == "thing: a length is not the shortest, as in DER");
  for (const std::size_t size : {0, 1, 127, 128, 255, 256, 65'535, 65'536}) {
    const Bytes element = to_der(kDerSequence, Bytes(size));
    CHECK(only_der(element, kDerSequence, "thing").content.size() == size);
    CHECK_THROWS_WITH(only_der(element, kDerOctetString, "thing"),
                      "thing: it has the tag 0x30, not 0x04");
  }
}

TEST_CASE("a list of SCTs is read whole or not at all") {
  const auto scts = parse_sct_list(bytes_of(kList));
  REQUIRE(scts.size() == 1);
  CHECK(scts[0].timestamp_ms == 1'795'804'769'928);
  CHECK(scts[0].log_id.size() == 32);
  CHECK(scts[0].extensions.size() == 8);  // the leaf's index in a static log
  CHECK(scts[0].signature.front() == std::byte{0x30});
  // 04 81 LL | 00 LL | 00 LL | version
  CHECK(why(kList + "x") == "list of SCTs: something follows it");
  CHECK(why(kList.substr(0, kList.size() - 1)) ==
        "list of SCTs: it ends in the middle of an element");
  CHECK(why(with(0, 1)) == "list of SCTs: it has the tag 0x05, not 0x04");
  CHECK(why(with(4, -1)) == "list of SCTs: something follows it");
  CHECK(why(with(4, 1)) == "list of SCTs: it ends in the middle of one");
  CHECK(why(with(6, 1)) == "list of SCTs: it ends in the middle of one");
  CHECK(why(with(6, -1)) == "list of SCTs: it ends in the middle of one");
  // the length of the extensions takes from the signature, or gives to it
  CHECK(why(with(7 + 1 + 32 + 8 + 1, -1)) != "accepted");
  CHECK(why(with(7 + 1 + 32 + 8 + 1, 1)) != "accepted");
}

TEST_CASE("SCTs that can't be judged do not count") {
  const std::size_t algorithms = 7 + 1 + 32 + 8 + 2 + 8;
  CHECK(parse_sct_list(bytes_of(with(7, 1))).empty());                    // version 2
  CHECK(parse_sct_list(bytes_of(with(algorithms, 1))).empty());           // SHA-384
  CHECK(parse_sct_list(bytes_of(with(algorithms + 1, -1))).empty());      // DSA
  CHECK(parse_sct_list(bytes_of(with(algorithms + 1, -2))).size() == 1);  // RSA
}

TEST_CASE("what the log signed is the certificate without the list, as OpenSSL writes it too") {
  for (const char* name : {"dsse-v1", "gitlab-v1", "email-v1", "message-v2"}) {
    const auto bundle = nlohmann::json::parse(
        test::checkout_file(std::string("tests/data/sigstore/") + name + ".sigstore.json"));
    const auto der =
        from_base64(bundle["verificationMaterial"]["certificate"]["rawBytes"].get<std::string>());
    const Certificate certificate = Certificate::parse_der(der.value());
    X509* copy = X509_dup(certificate.handle());
    X509_EXTENSION_free(X509_delete_ext(copy, X509_get_ext_by_NID(copy, NID_ct_precert_scts, -1)));
    unsigned char* out = nullptr;
    const int size = i2d_re_X509_tbs(copy, &out);
    const auto* first = reinterpret_cast<const std::byte*>(out);
    CHECK(certificate.tbs_without_scts() == Bytes(first, first + size));
    OPENSSL_free(out);
    X509_free(copy);
  }
}

}  // namespace seed::sigstore
