#include "sigstore/merkle.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include <fmt/core.h>

#include "base/error.hpp"

namespace seed::sigstore {
namespace {

void refuse(std::string_view why) {
  throw IntegrityError(fmt::format("the Merkle proof does not hold: {}", why));
}

}  // namespace

Digest digest_of(ByteView raw) {
  std::array<std::byte, 32> bytes;
  if (raw.size() != bytes.size()) {
    throw IntegrityError(fmt::format("a hash has {} bytes instead of 32", raw.size()));
  }
  std::ranges::copy(raw, bytes.begin());
  return Digest::from_raw(bytes);
}

Digest leaf_hash(ByteView entry) {
  constexpr std::array kLeaf{std::byte{0}};
  Sha256 hash;
  hash.update(kLeaf);
  hash.update(entry);
  return hash.finish();
}

Digest node_hash(const Digest& left, const Digest& right) {
  constexpr std::array kNode{std::byte{1}};
  Sha256 hash;
  hash.update(kNode);
  hash.update(left.raw());
  hash.update(right.raw());
  return hash.finish();
}

void check_inclusion(const Digest& leaf,
                     std::int64_t index,
                     std::int64_t size,
                     std::span<const Bytes> hashes,
                     const Digest& root) {
  if (index < 0 || index >= size) {
    refuse(fmt::format("a tree of {} entries has no entry {}", size, index));
  }
  auto fn = static_cast<std::uint64_t>(index);
  std::uint64_t sn = static_cast<std::uint64_t>(size) - 1;
  Digest r = leaf;
  for (const Bytes& bytes : hashes) {
    const Digest p = digest_of(bytes);
    if (sn == 0) {
      refuse("it has too many hashes");
    }
    if ((fn & 1) != 0 || fn == sn) {
      r = node_hash(p, r);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      r = node_hash(r, p);
    }
    fn >>= 1;
    sn >>= 1;
  }
  if (sn != 0) {
    refuse("it has too few hashes");
  }
  if (r != root) {
    refuse("it leads to another root");
  }
}

void check_consistency(std::int64_t old_size,
                       const Digest& old_root,
                       std::int64_t new_size,
                       const Digest& new_root,
                       std::span<const Bytes> hashes) {
  if (old_size <= 0 || old_size > new_size) {
    refuse(fmt::format("a tree of {} entries did not grow to {}", old_size, new_size));
  }
  if (old_size == new_size) {
    if (!hashes.empty() || old_root != new_root) {
      refuse("two trees of one size differ");
    }
    return;
  }
  const bool whole = std::has_single_bit(static_cast<std::uint64_t>(old_size));
  if (hashes.empty()) {
    refuse("it has too few hashes");
  }
  // A tree that is whole is itself the first node of the path.
  const Digest first = whole ? old_root : digest_of(hashes.front());
  const auto rest = whole ? hashes : hashes.subspan(1);
  std::uint64_t fn = static_cast<std::uint64_t>(old_size) - 1;
  std::uint64_t sn = static_cast<std::uint64_t>(new_size) - 1;
  while ((fn & 1) != 0) {
    fn >>= 1;
    sn >>= 1;
  }
  Digest fr = first;
  Digest sr = first;
  for (const Bytes& bytes : rest) {
    const Digest c = digest_of(bytes);
    if (sn == 0) {
      refuse("it has too many hashes");
    }
    if ((fn & 1) != 0 || fn == sn) {
      fr = node_hash(c, fr);
      sr = node_hash(c, sr);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      sr = node_hash(sr, c);
    }
    fn >>= 1;
    sn >>= 1;
  }
  if (sn != 0) {
    refuse("it has too few hashes");
  }
  if (fr != old_root || sr != new_root) {
    refuse("it leads to another root");
  }
}

}  // namespace seed::sigstore
