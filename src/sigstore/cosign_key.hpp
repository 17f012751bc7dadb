#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"

namespace seed::sigstore {

/// What cosign's key files hold: the JSON of securesystemslib's package `encrypted`.
struct CosignKeyBox {
  std::uint64_t n = 0;  ///< scrypt's cost
  std::uint32_t r = 0;
  std::uint32_t p = 0;
  Bytes salt;
  Bytes nonce;
  Bytes box;
};

/// scrypt may take this much memory: four times what cosign asks for.
inline constexpr std::uint64_t kMaxScryptBytes = 256 << 20;

/// Throws FormatError: not the form, other algorithms, and costs that no key file has.
CosignKeyBox parse_cosign_key(std::string_view json);

}  // namespace seed::sigstore
