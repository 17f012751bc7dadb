#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace seed::sigstore {

/// One element of DER (X.690 §8.1, §10.1). Views into what it was taken from.
struct Der {
  std::uint8_t tag = 0;  ///< the identifier octet: class, constructed, number
  ByteView content;
  ByteView whole;
};

inline constexpr std::uint8_t kDerOctetString = 0x04;
inline constexpr std::uint8_t kDerSequence = 0x30;

/// Takes the first element off `rest`. Throws FormatError, which names `what`, where it is cut off,
/// its length is not the shortest definite one or needs more than three bytes, or its tag is of the
/// long form.
Der take_der(ByteView& rest, std::string_view what);

/// The same where nothing follows it, and with this tag.
Der only_der(ByteView bytes, std::uint8_t tag, std::string_view what);

Bytes to_der(std::uint8_t tag, ByteView content);

}  // namespace seed::sigstore
