#pragma once

#include <array>
#include <string_view>

#include "base/bytes.hpp"
#include "http/http.hpp"

namespace seed::sigstore {

/// The first byte is from 0x40 to 0x7f.
using TimestampNonce = std::array<std::byte, 8>;

/// DER of a TimeStampReq (RFC 3161 §2.4.1) for the SHA-256 of `signature`. No certificate is asked
/// for: verifiers have it from their trusted root.
Bytes timestamp_request(ByteView signature, const TimestampNonce& nonce);

/// Whether `reply`, DER of a TimeStampResp, grants that request: status, message imprint and nonce.
/// Who signed it is for the verifier to check. Throws FormatError.
void check_timestamp_reply(ByteView reply, ByteView signature, const TimestampNonce& nonce);

/// A timestamp over `signature`: the whole reply, as bundles have it. `url` is the authority's own,
/// nothing is put behind it. Throws NetworkError.
Bytes request_timestamp(http::Transport& transport, std::string_view url, ByteView signature);

}  // namespace seed::sigstore
