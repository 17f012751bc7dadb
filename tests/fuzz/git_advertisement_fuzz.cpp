#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "git/wire.hpp"

// What a server says before a push or a fetch: branches that are taken are at objects.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& [name, id] : seed::git::parse_advertisement(text).branches) {
      if (!seed::git::is_object_id(id)) {
        std::abort();
      }
    }
  } catch (const seed::FormatError&) {
  } catch (const seed::NetworkError&) {
  }
  try {
    seed::git::parse_fetch_capabilities(text);
  } catch (const seed::FormatError&) {
  } catch (const seed::NetworkError&) {
  }
  return 0;
}
