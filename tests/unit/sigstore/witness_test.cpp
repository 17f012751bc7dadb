#include "sigstore/witness.hpp"

#include <memory>

#include <openssl/evp.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::sigstore {
namespace {

constexpr const char* kText =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

/// A witness that signs as OpenSSL signs.
class Signer {
 public:
  explicit Signer(std::string name)
      : name_(std::move(name)),
        key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), EVP_PKEY_free) {}

  std::string typed_key(char type = '\x04') const {
    std::string raw(32, '\0');
    std::size_t size = raw.size();
    EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
    return type + raw;
  }

  Bytes hint(char type = '\x04') const {
    const Digest digest = Digest::of(name_ + "\n" + typed_key(type));
    return {digest.raw().begin(), digest.raw().begin() + 4};
  }

  std::string vkey(char type = '\x04') const {
    return name_ + "+" + to_hex(hint(type)) + "+" + to_base64(bytes_of(typed_key(type)));
  }

  Bytes sign(const std::string& message) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          EVP_MD_CTX_free);
    Bytes signature(64);
    std::size_t size = signature.size();
    EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get());
    EVP_DigestSign(context.get(),
                   reinterpret_cast<unsigned char*>(signature.data()),
                   &size,
                   reinterpret_cast<const unsigned char*>(message.data()),
                   message.size());
    return signature;
  }

  /// A line over `text` that says `seconds`, signed as of `signed_seconds`.
  NoteSignature line(std::uint64_t seconds,
                     const std::string& text = kText,
                     const std::string& header = "cosignature/v1") const {
    Bytes bytes;
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<std::byte>(seconds >> shift));
    }
    const Bytes signature = sign(header + "\ntime " + std::to_string(seconds) + "\n" + text);
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    return {.name = name_, .hint = hint(), .signature = bytes};
  }

 private:
  std::string name_;
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

std::vector<Cosignature> found(const std::vector<NoteSignature>& lines,
                               const std::vector<Witness>& witnesses) {
  return cosignatures_of({.text = kText, .signatures = lines}, witnesses);
}

}  // namespace

TEST_CASE("a witness's cosignature is counted once, with the time that it says") {
  const Signer one("witness.example.com/w1");
  const Signer two("witness.example.com/w2");
  const std::vector<Witness> witnesses{parse_witness(one.vkey()), parse_witness(two.vkey())};
  CHECK(found({}, witnesses).empty());
  const auto cosigned =
      found({two.line(1'679'315'147), one.line(5), one.line(7), one.line(6)}, witnesses);
  REQUIRE(cosigned.size() == 2);
  CHECK(cosigned[0].witness == "witness.example.com/w1");
  CHECK(cosigned[0].time == Time(std::chrono::seconds(7)));
  CHECK(cosigned[1].time == Time(std::chrono::seconds(1'679'315'147)));
}

TEST_CASE("lines by others, and by a witness's name with another key, are not looked at") {
  const Signer known("witness.example.com/w1");
  const Signer impostor("witness.example.com/w1");
  const std::vector<Witness> witnesses{parse_witness(known.vkey())};
  CHECK(found({impostor.line(5), Signer("elsewhere").line(5)}, witnesses).empty());
  CHECK(found({impostor.line(5), known.line(6)}, witnesses).size() == 1);
}

TEST_CASE("a witness's line that is not over this checkpoint at that time is refused") {
  const Signer witness("w");
  const std::vector<Witness> witnesses{parse_witness(witness.vkey())};
  const auto refused = [&](const NoteSignature& line) {
    CHECK_THROWS_WITH(found({line}, witnesses),
                      "the cosignature of 'w' is not over this checkpoint");
  };
  refused(witness.line(5, "another note\n1\nAAAA\n"));
  refused(witness.line(5, kText, "cosignature/v2"));
  NoteSignature late = witness.line(5);
  late.signature[7] = std::byte{6};
  refused(late);
  NoteSignature cut = witness.line(5);
  cut.signature.pop_back();
  refused(cut);
  NoteSignature longer = witness.line(5);
  longer.signature.push_back(std::byte{0});
  refused(longer);
  refused(witness.line(std::uint64_t{1} << 63));
}

TEST_CASE("a verifier key is a name, the hint of name and key, and the key") {
  const Signer signer("witness.example.com/w1");
  const Witness witness = parse_witness(signer.vkey());
  CHECK(witness.name == "witness.example.com/w1");
  CHECK(witness.hint == signer.hint());
  const std::string vkey = signer.vkey();
  const std::string key = to_base64(bytes_of(signer.typed_key()));
  for (const std::string& bad : {std::string(),
                                 std::string("w1"),
                                 "+" + vkey,
                                 vkey.substr(0, vkey.size() - 4),
                                 "other" + vkey,
                                 "a name" + vkey.substr(vkey.find('+')),
                                 "w+12345678+" + key,
                                 "w+123456+" + key,
                                 "w+xx345678+" + key,
                                 "w+" + to_hex(signer.hint()) + "+",
                                 signer.vkey('\x01'),
                                 signer.vkey('\x06')}) {
    INFO(bad);
    CHECK_THROWS_AS(parse_witness(bad), FormatError);
  }
}

TEST_CASE("witnesses are a file of verifier keys, none of them twice") {
  const Signer one("one");
  const Signer two("two");
  const auto witnesses = parse_witnesses("# who\n\n" + one.vkey() + "\r\n  " + two.vkey() + "  \n");
  CHECK(witnesses.size() == 2);
  CHECK_THROWS_AS(parse_witnesses(one.vkey() + "\n" + one.vkey()), FormatError);
  CHECK_THROWS_AS(parse_witnesses(one.vkey() + "\n" + Signer("one").vkey()), FormatError);
  CHECK_THROWS_AS(parse_witnesses("# nobody\n"), FormatError);
  std::string many;
  for (int i = 0; i <= 100; ++i) {
    many += Signer("w" + std::to_string(i)).vkey() + "\n";
  }
  CHECK_THROWS_WITH(parse_witnesses(many), "there are more than 100 witnesses");
}

}  // namespace seed::sigstore
