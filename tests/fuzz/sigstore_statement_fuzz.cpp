#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/error.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/verify.hpp"

// A statement has subjects with digests, a type and a predicate; only FormatError refuses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto statement =
        seed::sigstore::parse_statement({reinterpret_cast<const char*>(data), size});
    if (statement.subjects.empty() || statement.predicate_type.empty() ||
        !statement.predicate.starts_with('{')) {
      std::abort();
    }
    for (const auto& subject : statement.subjects) {
      if (subject.digests.empty() ||
          subject.digests.size() > seed::sigstore::kMaxDigestsPerSubject) {
        std::abort();
      }
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
