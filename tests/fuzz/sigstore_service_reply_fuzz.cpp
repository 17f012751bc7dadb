#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "sigstore/fulcio.hpp"
#include "sigstore/rekor.hpp"

// What Fulcio and Rekor v1 answer with: an entry that is read can be written into a bundle, and an
// identifier leads nowhere but to an entry.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const seed::sigstore::LogEntry entry = seed::sigstore::parse_rekor_v1_entry(text);
    if (entry.log_id.size() != 32 || entry.log_index < 0 || !entry.proof || entry.kind.empty()) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  try {
    if (seed::sigstore::parse_issued_certificate(text).leaf.empty()) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  seed::http::Response conflict{.status = 409, .body = std::string(text)};
  conflict.headers.add("Location", std::string(text.substr(0, 200)));
  const auto id = seed::sigstore::existing_entry(conflict);
  if (id && !seed::from_hex(*id)) {
    std::abort();
  }
  return 0;
}
