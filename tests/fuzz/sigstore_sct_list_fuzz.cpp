#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/error.hpp"
#include "sigstore/sct.hpp"

// A list of SCTs is read whole or refused: what was read was all there, once.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kFixedBytes = 2 + 1 + 32 + 8 + 2 + 2 + 2;
  try {
    std::size_t total = 0;
    for (const seed::sigstore::Sct& sct :
         seed::sigstore::parse_sct_list(std::as_bytes(std::span(data, size)))) {
      total += kFixedBytes + sct.extensions.size() + sct.signature.size();
      if (sct.log_id.size() != 32) {
        std::abort();
      }
    }
    if (total > size) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
