#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "nix/nix.hpp"

// Only Error leaves; a path that is not valid is the one kind that is no FormatError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    seed::nix::parse_path_info(text);
  } catch (const seed::FormatError&) {
  } catch (const seed::Error& error) {
    if (error.message().find("is not valid in this store") == std::string::npos) {
      std::abort();
    }
  }
  return 0;
}
