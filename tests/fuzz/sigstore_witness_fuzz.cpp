#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "sigstore/witness.hpp"

// Verifier keys in one part, a note in the other: a witness counts once, and never without a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\0');
  try {
    const auto witnesses = seed::sigstore::parse_witnesses(text.substr(0, end));
    if (end == text.npos) {
      return 0;
    }
    const auto note = seed::sigstore::parse_note(text.substr(end + 1));
    const auto found = seed::sigstore::cosignatures_of(note, witnesses);
    if (found.size() > witnesses.size() || found.size() > note.signatures.size()) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  } catch (const seed::IntegrityError&) {
  }
  return 0;
}
