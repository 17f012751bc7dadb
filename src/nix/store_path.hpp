#pragma once

#include <compare>
#include <string>
#include <string_view>

namespace seed::nix {

inline constexpr std::string_view kStoreDir = "/nix/store";

/// `/nix/store/<32 nix32 digits>-<name>`; nothing else can be held here.
class StorePath {
 public:
  /// A full path with nothing below it. Throws FormatError.
  static StorePath parse(std::string_view text);
  /// `<hash>-<name>`, as Nix's newer JSON and we ourselves write it. Throws FormatError.
  static StorePath from_base_name(std::string_view base_name);

  std::string to_string() const { return std::string(kStoreDir) + "/" + base_name_; }

  const std::string& base_name() const { return base_name_; }

  std::string_view hash_part() const { return std::string_view(base_name_).substr(0, 32); }

  std::string_view name() const { return std::string_view(base_name_).substr(33); }

  bool is_derivation() const { return base_name_.ends_with(".drv"); }

  auto operator<=>(const StorePath&) const = default;

 private:
  explicit StorePath(std::string base_name) : base_name_(std::move(base_name)) {}

  std::string base_name_;
};

}  // namespace seed::nix
