#include "base/encoding.hpp"

#include <array>
#include <cstdint>

namespace seed {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kNix32 = "0123456789abcdfghijklmnpqrsvwxyz";

constexpr std::array<int, 256> values_of(std::string_view digits) {
  std::array<int, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<unsigned char>(digits[i])] = static_cast<int>(i);
  }
  return values;
}

int value_of(const std::array<int, 256>& values, char digit) {
  return values[static_cast<unsigned char>(digit)];
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    const auto value = std::to_integer<unsigned>(b);
    text += kHex[value >> 4];
    text += kHex[value & 15];
  }
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  static constexpr auto kValues = values_of(kHex);
  if (text.size() % 2 != 0) {
    return std::nullopt;
  }
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = value_of(kValues, text[i]);
    const int low = value_of(kValues, text[i + 1]);
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return bytes;
}

std::string to_base64(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group =
          group << 8 | (i + k < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? kBase64[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

std::optional<Bytes> from_base64(std::string_view text) {
  static constexpr auto kValues = values_of(kBase64);
  if (text.size() % 4 != 0) {
    return std::nullopt;
  }
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const std::size_t padding =
        !last || text[i + 3] != '=' ? 0 : (text[i + 2] == '=' ? std::size_t{2} : std::size_t{1});
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const int value = k >= 4 - padding ? 0 : value_of(kValues, text[i + k]);
      if (value < 0) {
        return std::nullopt;
      }
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    for (std::size_t k = 0; k < 3 - padding; ++k) {
      bytes.push_back(static_cast<std::byte>(group >> (16 - 8 * k) & 255));
    }
    // Bits that padding leaves over must be zero, so that one value has one text.
    if (padding != 0 && (group & ((1U << (8 * padding)) - 1)) != 0) {
      return std::nullopt;
    }
  }
  return bytes;
}

std::string to_nix32(ByteView bytes) {
  const std::size_t length = (bytes.size() * 8 + 4) / 5;
  std::string text;
  text.reserve(length);
  for (std::size_t n = length; n-- > 0;) {
    const std::size_t bit = n * 5;
    const std::size_t index = bit / 8;
    const std::size_t shift = bit % 8;
    const auto low = std::to_integer<unsigned>(bytes[index]) >> shift;
    const auto high =
        index + 1 < bytes.size() ? std::to_integer<unsigned>(bytes[index + 1]) << (8 - shift) : 0U;
    text += kNix32[(low | high) & 31];
  }
  return text;
}

std::optional<Bytes> from_nix32(std::string_view text) {
  static constexpr auto kValues = values_of(kNix32);
  const std::size_t size = text.size() * 5 / 8;
  if (text.size() != (size * 8 + 4) / 5) {
    return std::nullopt;  // no number of bytes has a text of this length
  }
  Bytes bytes(size);
  for (std::size_t n = 0; n < text.size(); ++n) {
    const int value = value_of(kValues, text[text.size() - n - 1]);
    if (value < 0) {
      return std::nullopt;
    }
    const std::size_t bit = n * 5;
    const std::size_t index = bit / 8;
    const unsigned spread = static_cast<unsigned>(value) << (bit % 8);
    if (index < size) {
      bytes[index] |= static_cast<std::byte>(spread & 255);
    } else if ((spread & 255) != 0) {
      return std::nullopt;
    }
    if (index + 1 < size) {
      bytes[index + 1] |= static_cast<std::byte>(spread >> 8);
    } else if (spread >> 8 != 0) {
      return std::nullopt;
    }
  }
  return bytes;
}

}  // namespace seed
