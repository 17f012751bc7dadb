#include "sigstore/private_key.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "key_files.hpp"
#include "sigstore/cosign_key.hpp"
#include "support/catch.hpp"
#include "support/fake_runner.hpp"

using namespace seed;
using namespace seed::sigstore;
using Catch::Matchers::Message;

namespace {

PrivateKey::Password password(const char* word) {
  return [word] { return std::optional<Secret>(Secret(word)); };
}

const PrivateKey::Password kNoPassword = [] { return std::optional<Secret>(); };

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

constexpr std::string_view kCosignKey =
    R"({"kdf":{"name":"scrypt","params":{"N":65536,"r":8,"p":1},"salt":"c2FsdA=="},)"
    R"("cipher":{"name":"nacl/secretbox","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},)"
    R"("ciphertext":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})";

}  // namespace

TEST_CASE("a key file in each form is the same key, and what it signs verifies") {
  for (const char* pem :
       {test::kP256, test::kP256Encrypted, test::kP256Scrypt, test::kP256Cosign}) {
    PrivateKey key = PrivateKey::parse_pem(pem, password("word"));
    CHECK(key.public_key().pem() == test::kP256Public);
    const Bytes signature = key.sign(bytes_of("message"));
    CHECK(PublicKey::parse_pem(test::kP256Public).verify(bytes_of("message"), signature));
    CHECK_FALSE(PublicKey::parse_pem(test::kP256Public).verify(bytes_of("massage"), signature));
  }
}

TEST_CASE("an Ed25519 key signs with 64 bytes") {
  PrivateKey key = PrivateKey::parse_pem(test::kEd25519, kNoPassword);
  CHECK(key.public_key().pem() == test::kEd25519Public);
  const Bytes signature = key.sign(bytes_of("message"));
  CHECK(signature.size() == 64);
  CHECK(PublicKey::parse_pem(test::kEd25519Public).verify(bytes_of("message"), signature));
}

TEST_CASE("a key that is made is on P-256 and another one each time") {
  PrivateKey one = PrivateKey::generate();
  PrivateKey two = PrivateKey::generate();
  CHECK(one.public_key().type() == KeyType::p256);
  CHECK_FALSE(one.public_key() == two.public_key());
  CHECK(one.public_key().verify(bytes_of("x"), one.sign(bytes_of("x"))));
}

TEST_CASE("a key file without its password, or with another, is a mistake of the user's") {
  for (const char* pem : {test::kP256Encrypted, test::kP256Scrypt, test::kP256Cosign}) {
    CHECK_THROWS_MATCHES(PrivateKey::parse_pem(pem, kNoPassword),
                         UsageError,
                         Message("the key is encrypted, and there is no password for it"));
    CHECK_THROWS_MATCHES(PrivateKey::parse_pem(pem, password("sword")),
                         UsageError,
                         Message("the password is not that of the key"));
  }
  CHECK_NOTHROW(PrivateKey::parse_pem(test::kP256, {}));  // asks for none
}

TEST_CASE("what is no key that signs here is refused for that reason") {
  CHECK_THROWS_MATCHES(PrivateKey::parse_pem(test::kP384, kNoPassword),
                       FormatError,
                       Message("the key is neither ECDSA on P-256 nor Ed25519"));
  CHECK_THROWS_MATCHES(PrivateKey::parse_pem(test::kSec1, kNoPassword),
                       FormatError,
                       Message("'EC PRIVATE KEY' is no private key that is read here"));
  CHECK_THROWS_AS(PrivateKey::parse_pem(test::kP256Public, kNoPassword), FormatError);
  CHECK_THROWS_AS(PrivateKey::parse_pem("", kNoPassword), FormatError);
  // The same bytes under a label that says something else, and with a byte behind them.
  CHECK_THROWS_AS(
      PrivateKey::parse_pem(
          "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
          kNoPassword),
      FormatError);
  CHECK_THROWS_MATCHES(
      PrivateKey::parse_pem("-----BEGIN PRIVATE KEY-----\n"
                            "MC4CAQAwBQYDK2VwBCIEIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gAA==\n"
                            "-----END PRIVATE KEY-----\n",
                            kNoPassword),
      FormatError,
      Message("there are bytes behind the key"));
}

TEST_CASE("a key of cosign's is read with costs that key files have") {
  const CosignKeyBox box = parse_cosign_key(kCosignKey);
  CHECK(box.n == 65536);
  CHECK(text_of(box.salt) == "salt");
  const auto refused = [](std::string_view from, std::string_view to) {
    CHECK_THROWS_AS(parse_cosign_key(replaced(std::string(kCosignKey), from, to)), FormatError);
  };
  refused("scrypt", "argon2");
  refused("nacl/secretbox", "aes");
  refused("65536", "65537");
  refused("65536", "1");
  refused("65536", "524288");  // 512 MiB
  refused(R"("r":8)", R"("r":17)");
  refused(R"("r":8)", R"("r":0)");
  refused(R"("p":1)", R"("p":17)");
  refused(R"("nonce":"AAAA)", R"("nonce":")");
  refused(R"("ciphertext":"AAAAAAAAAAAAAAAAAAAA)", R"("ciphertext":")");
  refused(R"("salt")", R"("sold")");
  CHECK_THROWS_AS(parse_cosign_key("[]"), FormatError);
}

TEST_CASE("a signer is asked for its key, then for signatures, by argument and standard input") {
  PrivateKey key = PrivateKey::parse_pem(test::kP256, kNoPassword);
  test::FakeRunner runner;
  runner.answer = [&](const os::Command& command) -> test::FakeRunner::Answer {
    return command.argv.back() == "public-key"
               ? test::FakeRunner::Answer{.out = test::kP256Public}
               : test::FakeRunner::Answer{.out =
                                              to_base64(key.sign(bytes_of(command.input))) + "\n"};
  };
  ExternalKey signer(runner, {"kms", "--key", "a b"});
  const Bytes signature = signer.sign(bytes_of("message"));
  CHECK(key.public_key().verify(bytes_of("message"), signature));
  REQUIRE(runner.seen.size() == 2);
  CHECK(runner.seen[0].argv == std::vector<std::string>{"kms", "--key", "a b", "public-key"});
  CHECK(runner.seen[0].input.empty());
  // sha256sum of "message"
  CHECK(runner.seen[1].argv ==
        std::vector<std::string>{
            "kms",
            "--key",
            "a b",
            "sign",
            "sha256:ab530a13e45914982b79f9b7e3fba994cfd1f3fb22f71cea1afbf02b460c6d1d"});
  CHECK(runner.seen[1].input == "message");
}

TEST_CASE("a signer that fails, or prints what is no signature, is refused in its own words") {
  test::FakeRunner runner;
  test::FakeRunner::Answer next{.out = test::kP256Public};
  runner.answer = [&](const os::Command&) { return next; };
  CHECK_THROWS_MATCHES(ExternalKey(runner, {}), UsageError, Message("--signer names no program"));
  ExternalKey signer(runner, {"kms"});
  next = {.code = 3, .err = "no such token\n"};
  CHECK_THROWS_MATCHES(
      signer.sign(bytes_of("x")),
      Error,
      Message(
          "the signer 'kms sign "
          "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' ended with 3: "
          "no such token"));
  next = {.out = "yes"};
  CHECK_THROWS_MATCHES(signer.sign(bytes_of("x")),
                       IntegrityError,
                       Message("the signer printed no base64 but 'yes'"));
  PrivateKey other = PrivateKey::generate();
  next = {.out = to_base64(other.sign(bytes_of("x")))};
  CHECK_THROWS_MATCHES(
      signer.sign(bytes_of("x")),
      IntegrityError,
      Message("what the signer printed is no signature by its key over these bytes"));
  next = {.out = "no key"};
  CHECK_THROWS_AS(ExternalKey(runner, {"kms"}), FormatError);
}
