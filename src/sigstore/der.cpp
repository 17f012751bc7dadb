#include "sigstore/der.hpp"

#include <fmt/core.h>

#include "base/error.hpp"

namespace seed::sigstore {
namespace {

constexpr std::uint8_t kLongTag = 0x1f;
constexpr std::uint8_t kLongLength = 0x80;
constexpr std::size_t kMaxLengthBytes = 3;

[[noreturn]] void refuse(std::string_view what, std::string_view why) {
  throw FormatError(fmt::format("{}: {}", what, why));
}

std::uint8_t take_byte(ByteView& rest, std::string_view what) {
  if (rest.empty()) {
    refuse(what, "it ends in the middle of an element");
  }
  const auto byte = std::to_integer<std::uint8_t>(rest.front());
  rest = rest.subspan(1);
  return byte;
}

std::size_t take_length(ByteView& rest, std::string_view what) {
  const std::uint8_t first = take_byte(rest, what);
  if (first < kLongLength) {
    return first;
  }
  const std::size_t digits = first - kLongLength;
  if (digits == 0 || digits > kMaxLengthBytes) {
    refuse(what, "a length is not one of DER, or too long");
  }
  std::size_t length = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    length = length << 8 | take_byte(rest, what);
  }
  if (length < kLongLength || length >> (8 * (digits - 1)) == 0) {
    refuse(what, "a length is not the shortest, as in DER");
  }
  return length;
}

}  // namespace

Der take_der(ByteView& rest, std::string_view what) {
  const ByteView start = rest;
  const std::uint8_t tag = take_byte(rest, what);
  if ((tag & kLongTag) == kLongTag) {
    refuse(what, "a tag is of the long form");
  }
  const std::size_t length = take_length(rest, what);
  if (length > rest.size()) {
    refuse(what, "it ends in the middle of an element");
  }
  const ByteView content = rest.first(length);
  rest = rest.subspan(length);
  return {tag, content, start.first(start.size() - rest.size())};
}

Der only_der(ByteView bytes, std::uint8_t tag, std::string_view what) {
  const Der element = take_der(bytes, what);
  if (element.tag != tag) {
    refuse(what, fmt::format("it has the tag {:#04x}, not {:#04x}", element.tag, tag));
  }
  if (!bytes.empty()) {
    refuse(what, "something follows it");
  }
  return element;
}

Bytes to_der(std::uint8_t tag, ByteView content) {
  Bytes out{std::byte{tag}};
  const std::size_t size = content.size();
  if (size < kLongLength) {
    out.push_back(static_cast<std::byte>(size));
  } else {
    const std::size_t digits = size > 0xffff ? 3 : size > 0xff ? 2 : 1;
    out.push_back(static_cast<std::byte>(kLongLength + digits));
    for (std::size_t i = digits; i-- > 0;) {
      out.push_back(static_cast<std::byte>(size >> (8 * i) & 0xff));
    }
  }
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

}  // namespace seed::sigstore
