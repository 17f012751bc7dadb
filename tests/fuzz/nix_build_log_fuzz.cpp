#include <cstdlib>

#include "nix/build_log.hpp"

/// Nothing escapes, whatever Nix or a builder writes, and how it is cut into chunks does not show.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto still = [] { return 0.0; };
  seed::nix::BuildLog whole(still);
  seed::nix::BuildLog halves(still);
  const std::string once = whole.take(text);
  const std::string first = halves.take(text.substr(0, size / 2));
  if (first + halves.take(text.substr(size / 2)) != once || whole.finish() != halves.finish() ||
      whole.activities().size() != halves.activities().size()) {
    std::abort();
  }
  return 0;
}
