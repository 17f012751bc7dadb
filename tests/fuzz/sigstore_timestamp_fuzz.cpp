#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "sigstore/timestamp.hpp"

// Whatever is said, nobody is trusted who is not in the list; only FormatError refuses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const auto facts = seed::sigstore::parse_timestamp(bytes);
    if (facts.nonce && facts.nonce->empty()) {
      std::abort();
    }
    if (seed::sigstore::check_timestamp(bytes, {}, {})) {
      std::abort();
    }
    const auto& known = seed::sigstore::embedded_trusted_root().timestamp_authorities;
    if (seed::sigstore::check_timestamp(bytes, {}, known)) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  } catch (const seed::IntegrityError&) {
  }
  return 0;
}
