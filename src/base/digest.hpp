#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace seed {

/// A SHA-256, the only algorithm this program writes or accepts.
class Digest {
 public:
  /// `sha256:` and 64 lower-case hex digits (OCI image-spec, descriptor.md, "Digests").
  /// Throws FormatError.
  static Digest parse(std::string_view text);
  /// 64 lower-case hex digits. Throws FormatError.
  static Digest from_hex(std::string_view hex);
  static Digest of(ByteView bytes);

  static Digest of(std::string_view text) { return of(bytes_of(text)); }

  static Digest from_raw(const std::array<std::byte, 32>& raw) { return Digest(raw); }

  std::string to_string() const;  ///< sha256:<hex>
  std::string hex() const;

  const std::array<std::byte, 32>& raw() const { return raw_; }

  auto operator<=>(const Digest&) const = default;

 private:
  explicit Digest(const std::array<std::byte, 32>& raw) : raw_(raw) {}

  std::array<std::byte, 32> raw_;
};

/// Hashes a stream. After finish() it starts anew.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(ByteView bytes);

  void update(std::string_view text) { update(bytes_of(text)); }

  Digest finish();

  std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  struct Context;
  std::unique_ptr<Context> context_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace seed
