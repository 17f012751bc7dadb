#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace seed {

/// Lower-case hexadecimal.
std::string to_hex(ByteView bytes);
std::optional<Bytes> from_hex(std::string_view text);

/// RFC 4648 base64 with padding; the decoder refuses anything else.
std::string to_base64(ByteView bytes);
std::optional<Bytes> from_base64(std::string_view text);

/// Nix's base 32: least significant bits last, digits without e, o, t and u.
std::string to_nix32(ByteView bytes);
std::optional<Bytes> from_nix32(std::string_view text);

}  // namespace seed
