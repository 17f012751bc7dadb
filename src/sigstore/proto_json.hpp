#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/bytes.hpp"

namespace seed::sigstore {

/// One message in proto3 JSON (protobuf.dev/programming-guides/json): members in lowerCamelCase or
/// as the .proto spells them, never both; absent and null are the default; 64-bit numbers as text
/// or number; bytes in padded base64. Throws FormatError, which names the member.
class ProtoMessage {
 public:
  /// `json` outlives it. Throws where it is no object.
  ProtoMessage(const nlohmann::json& json, std::string_view what);

  /// The member; null where it is absent or null.
  const nlohmann::json* find(std::string_view name);
  std::string text(std::string_view name);
  Bytes bytes(std::string_view name);
  /// From 0 to 2^63 - 1.
  std::int64_t int64(std::string_view name);
  /// An enum by name; a number where a newer or lazier writer has one ("1").
  std::string enumeration(std::string_view name);
  /// The elements of a repeated field; at most `limit`.
  std::vector<const nlohmann::json*> list(std::string_view name, std::size_t limit);

  /// Throws where there is a member that nobody asked for.
  void finish() const;

 private:
  [[noreturn]] void wrong(std::string_view name, std::string_view wanted) const;

  const nlohmann::json& json_;
  std::string_view what_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace seed::sigstore
