#include "fuzz/decompress.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  seed::fuzz::decompress(seed::image::Compression::gzip, data, size);
  return 0;
}
