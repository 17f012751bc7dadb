#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "image/compress.hpp"

namespace seed::fuzz {
namespace {

/// Nothing at all where the stream is refused.
std::string decode(image::Compression compression,
                   const std::uint8_t* data,
                   std::size_t size,
                   std::size_t step,
                   bool& refused) {
  constexpr std::uint64_t kLimit = 1 << 20;
  std::string text;
  try {
    const auto decoder = image::make_decompressor(
        compression, [&](ByteView bytes) { text += text_of(bytes); }, kLimit);
    for (std::size_t i = 0; i < size; i += step) {
      decoder->write(std::as_bytes(std::span(data + i, std::min(step, size - i))));
    }
    decoder->finish();
  } catch (const FormatError&) {
    refused = true;
    text.clear();
  }
  return text;
}

/// The cut of the input does not show in the answer; only FormatError refuses.
void decompress(image::Compression compression, const std::uint8_t* data, std::size_t size) {
  bool refused_whole = false;
  bool refused_cut = false;
  const std::string whole = decode(compression, data, size, size + 1, refused_whole);
  if (decode(compression, data, size, 7, refused_cut) != whole || refused_whole != refused_cut) {
    std::abort();
  }
}

}  // namespace
}  // namespace seed::fuzz

// What is none of theirs, a decoder refuses by the first bytes: one corpus serves both.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto compression : {seed::image::Compression::zstd, seed::image::Compression::gzip}) {
    seed::fuzz::decompress(compression, data, size);
  }
  return 0;
}
