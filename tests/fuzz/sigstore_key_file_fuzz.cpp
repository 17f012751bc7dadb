#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "sigstore/cosign_key.hpp"
#include "sigstore/private_key.hpp"

// A key that is read signs with what its public half verifies; encrypted ones end where a password
// is asked for, since deriving keys from it is meant to take long.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    auto key = seed::sigstore::PrivateKey::parse_pem(text, {});
    key.sign(seed::bytes_of("message"));  // verifies
  } catch (const seed::FormatError&) {
  } catch (const seed::UsageError&) {
  }
  try {
    const seed::sigstore::CosignKeyBox box = seed::sigstore::parse_cosign_key(text);
    if (box.n * box.r * 128 > seed::sigstore::kMaxScryptBytes) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
