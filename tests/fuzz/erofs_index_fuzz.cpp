#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "base/digest.hpp"
#include "base/error.hpp"
#include "image/erofs.hpp"
#include "image/untar.hpp"

namespace {

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

class Indexer final : public seed::image::TarHandler {
 public:
  Indexer(seed::image::ErofsIndex& index, std::uint64_t tar_bytes)
      : index_(index), tar_bytes_(tar_bytes) {}

  void entry(const seed::image::TarEntry& entry) override {
    end_ = entry.data_offset + entry.size_bytes;
    index_.add(entry, 0);
  }

  void data(seed::ByteView) override {}

  void end_data() override { require(end_ <= tar_bytes_); }

 private:
  seed::image::ErofsIndex& index_;
  std::uint64_t tar_bytes_;
  std::uint64_t end_ = 0;
};

/// Reads an index as the kernel does, and ends the program where a place is outside of it.
class Walker {
 public:
  Walker(std::string_view image, std::uint64_t tar_bytes) : image_(image), tar_bytes_(tar_bytes) {
    require(image.size() % kBlock == 0 && number(1024, 4) == 0xe0f5e1e2);
    require(number(1024 + 36, 4) * kBlock == image.size());
    inode(number(1024 + 14, 2));
    require(seen_.size() == number(1024 + 16, 8));
  }

 private:
  static constexpr std::uint64_t kBlock = 512;

  std::uint64_t number(std::uint64_t at, unsigned size) const {
    require(at + size <= image_.size());
    std::uint64_t value = 0;
    for (unsigned i = size; i > 0; --i) {
      value = value << 8 | static_cast<unsigned char>(image_[at + i - 1]);
    }
    return value;
  }

  void inode(std::uint64_t nid) {
    require(seen_.insert(nid).second);
    const std::uint64_t at = nid * 32;
    const std::uint64_t format = number(at, 2);
    const bool extended = (format & 1) != 0;
    const std::uint64_t size = number(at + 8, extended ? 8 : 4);
    const std::uint64_t after = at + (extended ? 64 : 32);
    if (format >> 1 == 4) {
      require(number(after + 2, 2) == 1 && number(after + 4, 4) * kBlock + size <= tar_bytes_);
      return;
    }
    std::string content;
    const std::uint64_t block = number(at + 16, 4) * kBlock;
    const std::uint64_t outside = format >> 1 == 2 ? size / kBlock * kBlock : size;
    require(block + outside <= image_.size() && after + size - outside <= image_.size());
    require(size == outside || after / kBlock == (after + size - outside - 1) / kBlock);
    content = image_.substr(block, outside);
    content += image_.substr(after, size - outside);
    if ((number(at + 4, 2) & 0170000) == 0040000) {
      for (std::uint64_t start = 0; start < content.size(); start += kBlock) {
        folder_block(std::string_view(content).substr(start, kBlock));
      }
    }
  }

  void folder_block(std::string_view block) {
    const auto at = [&](std::size_t offset) {
      return static_cast<unsigned char>(block.at(offset));
    };
    const std::size_t count = (at(8) | at(9) << 8) / 12;
    std::string_view before;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t start = at(i * 12 + 8) | at(i * 12 + 9) << 8;
      const std::size_t end = i + 1 < count ? at(i * 12 + 20) | at(i * 12 + 21) << 8 : block.size();
      require(start < end && end <= block.size());
      std::string_view name = block.substr(start, end - start);
      name = name.substr(0, name.find('\0'));
      require(!name.empty() && before < name && name.find('/') == std::string_view::npos);
      before = name;
      if (name != "." && name != "..") {
        std::uint64_t nid = 0;
        for (std::size_t byte = 8; byte > 0; --byte) {
          nid = nid << 8 | at(i * 12 + byte - 1);
        }
        inode(nid);
      }
    }
  }

  std::string_view image_;
  std::uint64_t tar_bytes_;
  std::set<std::uint64_t> seen_;
};

}  // namespace

// Whatever a tar says, its index is one that the kernel can read, within itself and the tar; only
// FormatError refuses.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const seed::ByteView tar = std::as_bytes(std::span(data, size));
  seed::image::ErofsIndex index;
  Indexer indexer(index, size);
  std::string image;
  try {
    seed::image::TarReader reader(indexer);
    reader.write(tar);
    reader.finish();
    const seed::image::ErofsDevice device{seed::Digest::of(""), size};
    index.write({&device, 1}, {}, [&](seed::ByteView bytes) { image += seed::text_of(bytes); });
  } catch (const seed::FormatError&) {
    return 0;
  }
  const Walker walker(image, size);
  return 0;
}
