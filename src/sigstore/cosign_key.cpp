#include "sigstore/cosign_key.hpp"

#include <bit>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/json.hpp"
#include "sigstore/secretbox.hpp"

namespace seed::sigstore {
namespace {

constexpr std::uint64_t kMaxKeyFileBytes = 64 << 10;
constexpr std::string_view kWhat = "the encrypted key";

void check_name(const nlohmann::json& algorithm, std::string_view name) {
  const std::string& given = string_member(algorithm, "name");
  if (given != name) {
    throw FormatError(
        fmt::format("{} has '{}' where {} is expected", kWhat, printable(given, 40), name));
  }
}

std::uint32_t small_member(const nlohmann::json& params, const char* key) {
  constexpr std::int64_t kMost = 16;
  const std::int64_t value = integer_member(params, key);
  if (value < 1 || value > kMost) {
    throw FormatError(fmt::format("{} has the cost {} = {}", kWhat, key, value));
  }
  return static_cast<std::uint32_t>(value);
}

}  // namespace

CosignKeyBox parse_cosign_key(std::string_view json_text) {
  const nlohmann::json json = parse_json(json_text, kMaxKeyFileBytes, kWhat);
  const nlohmann::json& kdf = object_member(json, "kdf");
  const nlohmann::json& params = object_member(kdf, "params");
  const nlohmann::json& cipher = object_member(json, "cipher");
  check_name(kdf, "scrypt");
  check_name(cipher, "nacl/secretbox");
  CosignKeyBox box{.n = static_cast<std::uint64_t>(integer_member(params, "N")),
                   .r = small_member(params, "r"),
                   .p = small_member(params, "p"),
                   .salt = base64_member(kdf, "salt"),
                   .nonce = base64_member(cipher, "nonce"),
                   .box = base64_member(json, "ciphertext")};
  if (box.n < 2 || !std::has_single_bit(box.n) || box.n > kMaxScryptBytes / 128 / box.r) {
    throw FormatError(fmt::format("{} has the cost N = {}", kWhat, box.n));
  }
  if (box.nonce.size() != kSecretboxNonceBytes || box.box.size() <= kSecretboxTagBytes) {
    throw FormatError(fmt::format("{} has a nonce or a box of the wrong length", kWhat));
  }
  return box;
}

}  // namespace seed::sigstore
