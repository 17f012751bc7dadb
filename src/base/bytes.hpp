#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace seed {

using ByteView = std::span<const std::byte>;
using Bytes = std::vector<std::byte>;

/// Takes the next bytes of a stream; throws to stop it.
using Sink = std::function<void(ByteView)>;

/// Fills the front of the buffer and returns how many bytes it wrote; 0 is the end.
using Source = std::function<std::size_t(std::span<std::byte>)>;

inline ByteView bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Both sinks see every chunk, in order, before the next one is taken.
Sink tee(Sink first, Sink second);

/// A Source over text that outlives it.
Source source_of(std::string_view text);

/// Everything `source` yields; throws FormatError beyond `limit_bytes`.
std::string read_all(const Source& source, std::uint64_t limit_bytes);

}  // namespace seed
