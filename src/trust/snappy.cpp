#include "trust/snappy.hpp"

#include <fmt/core.h>

#include "base/error.hpp"

namespace seed::trust {
namespace {

[[noreturn]] void refuse(std::string_view why) {
  throw FormatError(fmt::format("Snappy: {}", why));
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }

  std::string_view take(std::uint64_t count) {
    if (count > text_.size()) {
      refuse("the block is cut off");
    }
    const std::string_view taken = text_.substr(0, count);
    text_.remove_prefix(count);
    return taken;
  }

  std::uint8_t byte() { return static_cast<std::uint8_t>(take(1).front()); }

  std::uint32_t little_endian(unsigned bytes) {
    std::uint32_t value = 0;
    for (unsigned i = 0; i < bytes; ++i) {
      value |= std::uint32_t{byte()} << (8 * i);
    }
    return value;
  }

  /// At most 2^32 - 1, in at most five bytes.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 35; shift += 7) {
      const std::uint8_t next = byte();
      value |= std::uint64_t{next & 0x7fU} << shift;
      if (next < 0x80) {
        return value;
      }
    }
    refuse("its length is too long");
  }

 private:
  std::string_view text_;
};

}  // namespace

std::string uncompress_snappy(std::string_view block, std::uint64_t limit_bytes) {
  Reader reader(block);
  const std::uint64_t size = reader.varint();
  if (size > limit_bytes) {
    refuse(fmt::format("it holds {} bytes, and at most {} are read", size, limit_bytes));
  }
  std::string out;
  out.reserve(size);
  const auto check_room = [&](std::uint64_t more) {
    if (more > size - out.size()) {
      refuse("it holds more than it says");
    }
  };
  const auto copy = [&](std::uint64_t length, std::uint64_t offset) {
    check_room(length);
    if (offset == 0 || offset > out.size()) {
      refuse("it copies what is not there");
    }
    for (std::uint64_t i = 0; i < length; ++i) {  // byte by byte: it may copy what it makes
      out += out[out.size() - offset];
    }
  };
  while (!reader.at_end()) {
    const std::uint8_t tag = reader.byte();
    const unsigned high = tag >> 2U;
    switch (tag & 3U) {
      case 0: {
        const std::uint64_t length =
            std::uint64_t{high < 60 ? high : reader.little_endian(high - 59)} + 1;
        check_room(length);
        out += reader.take(length);
        break;
      }
      case 1:
        copy(4 + (high & 7U), ((tag >> 5U) << 8U) | reader.byte());
        break;
      case 2:
        copy(high + 1, reader.little_endian(2));
        break;
      default:
        copy(high + 1, reader.little_endian(4));
    }
  }
  if (out.size() != size) {
    refuse("it holds less than it says");
  }
  return out;
}

}  // namespace seed::trust
