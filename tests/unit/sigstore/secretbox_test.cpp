#include "sigstore/secretbox.hpp"

#include "base/encoding.hpp"
#include "support/catch.hpp"

using namespace seed;
using namespace seed::sigstore;

namespace {

Bytes hex(std::string_view text) {
  return from_hex(text).value();
}

// "Cryptography in NaCl" (D. J. Bernstein, 2009), §10, the example of secret-key encryption.
const Bytes kKey = hex("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
const Bytes kNonce = hex("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
const Bytes kBox = hex(
    "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a118"
    "6ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e5"
    "26ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654c"
    "b45a74e355a5");
const Bytes kMessage = hex(
    "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c61"
    "296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af"
    "1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705");

}  // namespace

TEST_CASE("a box of NaCl's own example opens") {
  CHECK(open_secretbox(kKey, kNonce, kBox) == kMessage);
}

TEST_CASE("a box with one bit flipped, wherever, does not open") {
  for (std::size_t bit = 0; bit < kBox.size() * 8; bit += 5) {
    Bytes box = kBox;
    box[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    CHECK_FALSE(open_secretbox(kKey, kNonce, box));
  }
  Bytes key = kKey;
  key[31] ^= std::byte{1};
  CHECK_FALSE(open_secretbox(key, kNonce, kBox));
  Bytes nonce = kNonce;
  nonce[23] ^= std::byte{1};
  CHECK_FALSE(open_secretbox(kKey, nonce, kBox));
}

TEST_CASE("what is too short to be key, nonce or box opens nothing") {
  CHECK_FALSE(open_secretbox(ByteView(kKey).first(31), kNonce, kBox));
  CHECK_FALSE(open_secretbox(kKey, ByteView(kNonce).first(23), kBox));
  CHECK_FALSE(open_secretbox(kKey, kNonce, ByteView(kBox).first(15)));
}
