#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "trust/policy.hpp"

// A policy that is read believes somebody, and is written and read back the same. Provenance by
// whomever, which is held against it, is read or refused.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const seed::trust::Policy policy = seed::trust::parse_policy(text);
    if (policy.identities.empty() && policy.keys.empty()) {
      std::abort();
    }
    if (seed::trust::parse_policy(seed::trust::to_json(policy)) != policy) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  } catch (const seed::UsageError&) {
  }
  try {
    seed::trust::read_provenance(text);
  } catch (const seed::FormatError&) {
  }
  return 0;
}
