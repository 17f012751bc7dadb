#include "base/bytes.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/core.h>

#include "base/error.hpp"

namespace seed {

Sink tee(Sink first, Sink second) {
  return [first = std::move(first), second = std::move(second)](ByteView chunk) {
    first(chunk);
    second(chunk);
  };
}

Source source_of(std::string_view text) {
  return [rest = text](std::span<std::byte> buffer) mutable {
    const std::size_t count = std::min(buffer.size(), rest.size());
    std::memcpy(buffer.data(), rest.data(), count);
    rest.remove_prefix(count);
    return count;
  };
}

std::string read_all(const Source& source, std::uint64_t limit_bytes) {
  std::string text;
  std::array<std::byte, 1 << 16> buffer;
  while (const std::size_t count = source(buffer)) {
    if (text.size() + count > limit_bytes) {
      throw FormatError(fmt::format("more than {} bytes where fewer were expected", limit_bytes));
    }
    text.append(text_of(std::span(buffer).first(count)));
  }
  return text;
}

}  // namespace seed
