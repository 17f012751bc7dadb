#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/digest.hpp"
#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

// One value has one text: what is encoded decodes to itself and what is decoded encodes to itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const seed::ByteView bytes = seed::bytes_of(text);
  const auto check = [&](auto encode, auto decode) {
    const auto back = decode(encode(bytes));
    if (!back || seed::text_of(*back) != text) {
      std::abort();
    }
    if (const auto decoded = decode(text); decoded && encode(*decoded) != text) {
      std::abort();
    }
  };
  check(seed::to_hex, seed::from_hex);
  check(seed::to_base64, seed::from_base64);
  check(seed::to_nix32, seed::from_nix32);
  if (seed::printable(seed::printable(text, size), ~std::size_t{0}) !=
      seed::printable(text, size)) {
    std::abort();
  }
  try {
    if (seed::Digest::parse(text).to_string() != text) {
      std::abort();
    }
  } catch (const seed::FormatError&) {
  }
  return 0;
}
