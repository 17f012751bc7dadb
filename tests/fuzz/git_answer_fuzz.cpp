#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "git/wire.hpp"

namespace {

/// The pack, or nothing where the answer is refused.
std::optional<std::string> fetched(std::string_view answer, std::size_t piece) {
  std::string pack;
  try {
    seed::git::FetchReader reader([&](seed::ByteView chunk) { pack += seed::text_of(chunk); });
    for (std::size_t at = 0; at < answer.size(); at += piece) {
      reader.feed(seed::bytes_of(answer.substr(at, piece)));
    }
    reader.finish();
    return pack;
  } catch (const seed::FormatError&) {
  } catch (const seed::NetworkError&) {
  }
  return std::nullopt;
}

}  // namespace

// The answer to a fetch means the same however it arrives; that to a push is either a move or a
// reason.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (fetched(text, 1) != fetched(text, size + 1)) {
    std::abort();
  }
  for (const bool sideband : {false, true}) {
    try {
      const auto report = seed::git::parse_push_report(text, "refs/heads/main", sideband);
      if (report.moved != report.reason.empty()) {
        std::abort();
      }
    } catch (const seed::FormatError&) {
    }
  }
  return 0;
}
