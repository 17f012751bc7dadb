#include "base/digest.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <openssl/evp.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/handle.hpp"
#include "base/text.hpp"

namespace seed {
namespace {

constexpr std::string_view kPrefix = "sha256:";

void check(int result) {
  if (result != 1) {
    throw Error("computing a SHA-256: OpenSSL failed");
  }
}

}  // namespace

Digest Digest::parse(std::string_view text) {
  if (!text.starts_with(kPrefix)) {
    throw FormatError(fmt::format("'{}' is not a sha256 digest", printable(text, 100)));
  }
  return from_hex(text.substr(kPrefix.size()));
}

Digest Digest::from_hex(std::string_view hex) {
  const auto bytes = seed::from_hex(hex);
  std::array<std::byte, 32> raw;
  if (!bytes || bytes->size() != raw.size()) {
    throw FormatError(fmt::format("'{}' is not 64 lower-case hex digits", printable(hex, 100)));
  }
  std::ranges::copy(*bytes, raw.begin());
  return Digest(raw);
}

Digest Digest::of(ByteView bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

std::string Digest::to_string() const {
  return std::string(kPrefix) + hex();
}

std::string Digest::hex() const {
  return to_hex(raw_);
}

struct Sha256::Context {
  Handle<EVP_MD_CTX, EVP_MD_CTX_free> evp{EVP_MD_CTX_new()};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  if (!context_->evp) {
    throw Error("computing a SHA-256: out of memory");
  }
  check(EVP_DigestInit_ex(context_->evp.get(), EVP_sha256(), nullptr));
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(ByteView bytes) {
  check(EVP_DigestUpdate(context_->evp.get(), bytes.data(), bytes.size()));
  size_bytes_ += bytes.size();
}

Digest Sha256::finish() {
  std::array<std::byte, 32> raw;
  check(EVP_DigestFinal_ex(
      context_->evp.get(), reinterpret_cast<unsigned char*>(raw.data()), nullptr));
  check(EVP_DigestInit_ex(context_->evp.get(), EVP_sha256(), nullptr));
  size_bytes_ = 0;
  return Digest::from_raw(raw);
}

}  // namespace seed
