#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "sigstore/log_watch.hpp"

// A bundle of log entries is all of its bytes and nothing else; a state that parses is what it
// prints.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    std::size_t total = 0;
    for (const std::string& entry : seed::sigstore::parse_entry_bundle(text)) {
      total += entry.size() + 2;
    }
    if (total != size) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  try {
    const seed::sigstore::LogState state = seed::sigstore::parse_log_state(text);
    if (seed::sigstore::parse_log_state(seed::sigstore::to_json(state)) != state) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
