#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iterator>

#include "base/error.hpp"
#include "image/unpack.hpp"
#include "os/file.hpp"

// Whatever the tar says, nothing appears beside the folder; only FormatError refuses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const seed::os::TempDir temp;
  const auto root = temp.path() / "root";
  std::filesystem::create_directory(root);
  try {
    seed::image::TarExtractor extractor(root);
    extractor.write(std::as_bytes(std::span(data, size)));
    extractor.finish();
  } catch (const seed::FormatError&) {
  }
  using std::filesystem::directory_iterator;
  if (std::distance(directory_iterator(temp.path()), directory_iterator()) != 1) {
    std::abort();
  }
  return 0;
}
