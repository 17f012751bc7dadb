#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace seed::sigstore {

/// The bytes of the one block of `label` in `text` (RFC 7468 §3): lines of any length, white space
/// around the block, nothing else. Throws FormatError.
Bytes parse_pem(std::string_view text, std::string_view label);

/// The label of the first block; empty where there is none.
std::string_view pem_label(std::string_view text);

/// Lines of 64 columns, as OpenSSL and Go write them.
std::string to_pem(ByteView der, std::string_view label);

}  // namespace seed::sigstore
