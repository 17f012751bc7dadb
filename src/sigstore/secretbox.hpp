#pragma once

#include <optional>

#include "base/bytes.hpp"

namespace seed::sigstore {

inline constexpr std::size_t kSecretboxKeyBytes = 32;
inline constexpr std::size_t kSecretboxNonceBytes = 24;
inline constexpr std::size_t kSecretboxTagBytes = 16;

/// NaCl's crypto_secretbox_open (XSalsa20 and Poly1305), which cosign keeps its key files in and
/// OpenSSL 3.0 lacks. Nothing where key or box are not the ones that went together. Only opening is
/// here: a wrong key stream gives a wrong authenticator, so that an error in it can't go unseen.
std::optional<Bytes> open_secretbox(ByteView key, ByteView nonce, ByteView box);

}  // namespace seed::sigstore
