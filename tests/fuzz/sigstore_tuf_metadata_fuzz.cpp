#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "sigstore/embedded.hpp"
#include "sigstore/tuf_rules.hpp"

using namespace seed;
using namespace seed::sigstore;

namespace {

/// Whether `step` went through; only the two refusals may leave it.
template <class Step>
bool accepted(Step&& step) {
  try {
    step();
    return true;
  } catch (const FormatError&) {
  } catch (const tuf::Refused&) {
  }
  return false;
}

}  // namespace

// Whatever the bytes are, nothing follows from the built-in root that Sigstore did not sign, and
// what is read of metadata has what every reader of it relies on.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tuf::Root kRoot = tuf::first_root(embedded::kRoot);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (accepted([&] { tuf::next_root(kRoot, text); }) ||
      accepted([&] { tuf::next_timestamp(kRoot, std::nullopt, text); })) {
    std::abort();
  }
  accepted([&] {
    const tuf::Root root = tuf::parse_root(text);
    if (root.file.version < 1 || root.roles.size() != 4) {
      std::abort();
    }
    for (const auto& [name, role] : root.roles) {
      if (role.threshold == 0 || role.threshold > role.keyids.size()) {
        std::abort();
      }
    }
    accepted([&] { tuf::check_signatures(root, root.file); });
  });
  accepted([&] {
    const tuf::Snapshot snapshot = tuf::parse_snapshot(text);
    if (!snapshot.meta.contains("targets.json")) {
      std::abort();
    }
  });
  accepted([&] {
    for (const auto& [path, target] : tuf::parse_targets(text).targets) {
      if (!target.hashes.sha256 && !target.hashes.sha512) {
        std::abort();
      }
    }
  });
  return 0;
}
