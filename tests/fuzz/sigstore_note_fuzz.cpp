#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "sigstore/note.hpp"

// A note is written as it was read, byte for byte: a signature is over its text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto note = seed::sigstore::parse_note(text);
    if (seed::sigstore::to_string(note) != text) {
      std::abort();
    }
    if (seed::sigstore::parse_checkpoint(note.text).size < 0) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
