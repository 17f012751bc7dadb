#include "sigstore/secretbox.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/error.hpp"
#include "base/handle.hpp"

namespace seed::sigstore {
namespace {

using Block = std::array<std::uint32_t, 16>;

std::uint32_t word_at(ByteView bytes, std::size_t at) {
  std::uint32_t word = 0;
  for (std::size_t i = 4; i-- > 0;) {
    word = word << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
  }
  return word;
}

/// "Salsa20 specification" (D. J. Bernstein, 2005), §4 to §8 as a matrix: the key's halves around
/// `input`, which is a nonce with a counter, or for HSalsa20 16 bytes of the nonce.
Block matrix(ByteView key, ByteView input) {
  constexpr std::array<std::uint32_t, 4> kSigma{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  Block block{};
  for (std::size_t i = 0; i < 4; ++i) {
    block[5 * i] = kSigma[i];
    block[1 + i] = word_at(key, 4 * i);
    block[6 + i] = word_at(input, 4 * i);
    block[11 + i] = word_at(key, 16 + 4 * i);
  }
  return block;
}

void quarter(Block& block, std::array<std::size_t, 4> at) {
  const auto step = [&](std::size_t to, std::size_t a, std::size_t b, int by) {
    block[at[to]] ^= std::rotl(block[at[a]] + block[at[b]], by);
  };
  step(1, 0, 3, 7);
  step(2, 1, 0, 9);
  step(3, 2, 1, 13);
  step(0, 3, 2, 18);
}

/// Twenty rounds.
Block shuffled(Block block) {
  constexpr int kDoubleRounds = 10;
  for (int round = 0; round < kDoubleRounds; ++round) {
    quarter(block, {0, 4, 8, 12});
    quarter(block, {5, 9, 13, 1});
    quarter(block, {10, 14, 2, 6});
    quarter(block, {15, 3, 7, 11});
    quarter(block, {0, 1, 2, 3});
    quarter(block, {5, 6, 7, 4});
    quarter(block, {10, 11, 8, 9});
    quarter(block, {15, 12, 13, 14});
  }
  return block;
}

void put_word(std::span<std::byte> to, std::uint32_t word) {
  for (std::size_t i = 0; i < 4; ++i) {
    to[i] = static_cast<std::byte>(word >> (8 * i));
  }
}

constexpr std::size_t kBlockBytes = 64;

/// The key that XSalsa20 goes on with ("Extending the Salsa20 nonce", §2): HSalsa20.
std::array<std::byte, kSecretboxKeyBytes> subkey(ByteView key, ByteView nonce) {
  constexpr std::array<std::size_t, 8> kWords{0, 5, 10, 15, 6, 7, 8, 9};
  Block block = shuffled(matrix(key, nonce.first(16)));
  std::array<std::byte, kSecretboxKeyBytes> out{};
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    put_word(std::span(out).subspan(4 * i, 4), block[kWords[i]]);
  }
  OPENSSL_cleanse(block.data(), sizeof block);
  return out;
}

std::array<std::byte, kBlockBytes> key_stream(ByteView key, ByteView nonce, std::uint64_t counter) {
  std::array<std::byte, 16> input{};
  std::ranges::copy(nonce.subspan(16, 8), input.begin());
  for (std::size_t i = 0; i < 8; ++i) {
    input[8 + i] = static_cast<std::byte>(counter >> (8 * i));
  }
  const Block start = matrix(key, input);
  const Block end = shuffled(start);
  std::array<std::byte, kBlockBytes> out{};
  for (std::size_t i = 0; i < start.size(); ++i) {
    put_word(std::span(out).subspan(4 * i, 4), start[i] + end[i]);
  }
  return out;
}

std::array<std::byte, kSecretboxTagBytes> poly1305(ByteView key, ByteView message) {
  const Handle<EVP_MAC, EVP_MAC_free> mac{EVP_MAC_fetch(nullptr, "POLY1305", nullptr)};
  const Handle<EVP_MAC_CTX, EVP_MAC_CTX_free> context{EVP_MAC_CTX_new(mac.get())};
  std::array<std::byte, kSecretboxTagBytes> tag{};
  std::size_t size = 0;
  if (!context ||
      EVP_MAC_init(
          context.get(), reinterpret_cast<const unsigned char*>(key.data()), key.size(), nullptr) !=
          1 ||
      EVP_MAC_update(context.get(),
                     reinterpret_cast<const unsigned char*>(message.data()),
                     message.size()) != 1 ||
      EVP_MAC_final(
          context.get(), reinterpret_cast<unsigned char*>(tag.data()), &size, tag.size()) != 1 ||
      size != tag.size()) {
    throw Error("computing a Poly1305: OpenSSL failed");
  }
  return tag;
}

}  // namespace

std::optional<Bytes> open_secretbox(ByteView key, ByteView nonce, ByteView box) {
  if (key.size() != kSecretboxKeyBytes || nonce.size() != kSecretboxNonceBytes ||
      box.size() < kSecretboxTagBytes) {
    return std::nullopt;
  }
  auto own_key = subkey(key, nonce);
  auto stream = key_stream(own_key, nonce, 0);
  const ByteView hidden = box.subspan(kSecretboxTagBytes);
  const auto tag = poly1305(ByteView(stream).first(kSecretboxKeyBytes), hidden);
  std::optional<Bytes> opened;
  if (CRYPTO_memcmp(tag.data(), box.data(), tag.size()) == 0) {
    opened.emplace(hidden.size());
    // The first half of the first block was the authenticator's key; the message follows it.
    for (std::size_t i = 0, at = kSecretboxKeyBytes; i < hidden.size(); ++i, ++at) {
      if (at % kBlockBytes == 0) {
        stream = key_stream(own_key, nonce, at / kBlockBytes);
      }
      (*opened)[i] = hidden[i] ^ stream[at % kBlockBytes];
    }
  }
  OPENSSL_cleanse(own_key.data(), own_key.size());
  OPENSSL_cleanse(stream.data(), stream.size());
  return opened;
}

}  // namespace seed::sigstore
