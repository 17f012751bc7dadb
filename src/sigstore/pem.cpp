#include "sigstore/pem.hpp"

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::sigstore {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kColumns = 64;

}  // namespace

std::string_view pem_label(std::string_view text) {
  const std::size_t begin = text.find(kBegin);
  if (begin == text.npos) {
    return {};
  }
  const std::string_view rest = text.substr(begin + kBegin.size());
  const std::size_t end = rest.find(kDashes);
  return end == rest.npos ? std::string_view{} : rest.substr(0, end);
}

Bytes parse_pem(std::string_view text, std::string_view label) {
  const auto refuse = [&](std::string_view why) -> Bytes {
    throw FormatError(fmt::format("not one PEM block of a {}: {}", label, why));
  };
  const std::string first = fmt::format("-----BEGIN {}-----", label);
  const std::string last = fmt::format("-----END {}-----", label);
  std::string_view rest = trim(text);
  if (!rest.starts_with(first)) {
    return refuse(fmt::format("it starts with '{}'", printable(rest.substr(0, 40))));
  }
  rest.remove_prefix(first.size());
  if (!rest.ends_with(last)) {
    return refuse("its last line is missing, or something follows it");
  }
  rest.remove_suffix(last.size());
  std::string base64;
  base64.reserve(rest.size());
  for (const char c : rest) {
    if (c != '\n' && c != '\r') {
      base64 += c;
    }
  }
  auto bytes = from_base64(base64);
  if (!bytes || bytes->empty()) {
    return refuse("its content is not base64");
  }
  return std::move(*bytes);
}

std::string to_pem(ByteView der, std::string_view label) {
  const std::string base64 = to_base64(der);
  std::string text = fmt::format("-----BEGIN {}-----\n", label);
  for (std::size_t at = 0; at < base64.size(); at += kColumns) {
    text.append(base64, at, kColumns);
    text += '\n';
  }
  return text + fmt::format("-----END {}-----\n", label);
}

}  // namespace seed::sigstore
