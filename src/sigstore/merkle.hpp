#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.hpp"
#include "base/digest.hpp"

namespace seed::sigstore {

/// RFC 6962 §2.1: SHA-256 of 0x00 and the entry.
Digest leaf_hash(ByteView entry);
/// SHA-256 of 0x01 and both children.
Digest node_hash(const Digest& left, const Digest& right);

/// Throws IntegrityError unless `hashes` prove that the leaf is number `index` of the `size` leaves
/// under `root` (RFC 9162 §2.1.3.2).
void check_inclusion(const Digest& leaf,
                     std::int64_t index,
                     std::int64_t size,
                     std::span<const Bytes> hashes,
                     const Digest& root);

/// Throws IntegrityError unless `hashes` prove that the tree of `new_size` leaves under `new_root`
/// begins with the one of `old_size` under `old_root` (RFC 9162 §2.1.4.2).
void check_consistency(std::int64_t old_size,
                       const Digest& old_root,
                       std::int64_t new_size,
                       const Digest& new_root,
                       std::span<const Bytes> hashes);

/// 32 bytes as a digest; IntegrityError for any other number.
Digest digest_of(ByteView raw);

}  // namespace seed::sigstore
