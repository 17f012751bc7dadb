#include <cstddef>
#include <cstdint>

#include "base/error.hpp"
#include "nix/evaluation_watch.hpp"
#include "nix/nixpkgs_tools.hpp"
#include "nix/seed_config.hpp"

// What an evaluation prints of a seed's tools, and says of what it builds: only FormatError
// refuses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    seed::nix::parse_seed_config(text);
  } catch (const seed::FormatError&) {
  }
  try {
    seed::nix::parse_nixpkgs_tools(text);
  } catch (const seed::FormatError&) {
  }
  seed::nix::built_by_evaluation(text);
  return 0;
}
