#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/error.hpp"
#include "image/toc.hpp"

namespace {

struct Within final : seed::image::TarHandler {
  std::uint64_t end = 0;

  void entry(const seed::image::TarEntry& entry) override {
    end = std::max(end, entry.data_offset + entry.size_bytes);
  }

  void data(seed::ByteView) override { std::abort(); }

  void end_data() override {}
};

}  // namespace

// What is taken has frames that fill the blob, and files that lie within the tar.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  // The blob is as large as its frames' sizes say, or nothing would be taken.
  std::uint64_t blob = size + 8;
  if (size >= 24) {
    std::uint64_t frames = data[size - 12] | data[size - 11] << 8;
    for (std::size_t at = size - 24; frames > 0 && at >= 36; --frames) {
      at -= 36;
      blob += data[at] | data[at + 1] << 8 | data[at + 2] << 16;
    }
  }
  Within handler;
  try {
    const seed::image::Toc toc = seed::image::parse_toc(bytes, blob, handler);
    std::uint64_t content = 0;
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < toc.frames.size(); ++i) {
      content += toc.content_bytes(i);
      end += toc.frames[i].size_bytes;
    }
    if (content != toc.tar_bytes || end + size + 8 != blob || handler.end > toc.tar_bytes) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
