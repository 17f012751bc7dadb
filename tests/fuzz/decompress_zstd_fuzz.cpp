#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "image/compress.hpp"

namespace {

using seed::image::Compression;

// Nothing at all where the stream is refused.
std::string decode(const std::uint8_t* data, std::size_t size, std::size_t step, bool& refused) {
  constexpr std::uint64_t kLimit = 1 << 20;
  std::string text;
  try {
    const auto decoder = seed::image::make_decompressor(
        Compression::zstd, [&](seed::ByteView bytes) { text += seed::text_of(bytes); }, kLimit);
    for (std::size_t i = 0; i < size; i += step) {
      decoder->write(std::as_bytes(std::span(data + i, std::min(step, size - i))));
    }
    decoder->finish();
  } catch (const seed::FormatError&) {
    refused = true;
    text.clear();
  }
  return text;
}

}  // namespace

// The cut of the input does not show in the answer; only FormatError refuses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bool refused_whole = false;
  bool refused_cut = false;
  const std::string whole = decode(data, size, size + 1, refused_whole);
  if (decode(data, size, 7, refused_cut) != whole || refused_whole != refused_cut) {
    std::abort();
  }
  return 0;
}
