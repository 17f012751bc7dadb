#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "sigstore/token.hpp"

namespace {

std::string base64url(std::string_view text) {
  std::string encoded = seed::to_base64(seed::bytes_of(text));
  for (char& c : encoded) {
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  }
  return encoded.substr(0, encoded.find('='));
}

/// A mistake of the token's is a FormatError, and one of its time or audience a UsageError; there
/// is nothing else, and whoever is read has a name.
void read(const std::string& token) {
  try {
    const seed::sigstore::TokenClaims claims = seed::sigstore::parse_token(token);
    if (claims.issuer.empty() || seed::sigstore::challenge_of(claims).empty()) {
      std::abort();
    }
    static_cast<void>(mismatch(claims, seed::sigstore::Signer{.issuer = claims.issuer}));
    check_token(claims, seed::Time());
  } catch (const seed::FormatError&) {
  } catch (const seed::UsageError&) {
  }
}

}  // namespace

// As a token, and as the payload of one, where the fuzzer needs no luck with base64.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  read(text);
  read("e30." + base64url(text) + ".e30");
  return 0;
}
