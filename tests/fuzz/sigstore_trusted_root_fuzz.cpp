#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "sigstore/trusted_root.hpp"

// Every log that is trusted has a beginning, an id and an operator; only FormatError refuses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto root =
        seed::sigstore::parse_trusted_roots({reinterpret_cast<const char*>(data), size});
    for (const auto* logs : {&root.transparency_logs, &root.certificate_logs}) {
      for (const auto& log : *logs) {
        if (!log.validity.start || log.log_id.size() != 32) {
          std::abort();
        }
      }
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
