#include "nix/store_path.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::nix {
namespace {

constexpr std::size_t kHashSize = 32;
constexpr std::size_t kMaxNameSize = 211;  // leaves room for ".lock" and the like in 255
constexpr std::string_view kHashDigits = "0123456789abcdfghijklmnpqrsvwxyz";

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("+-._?=").find(c) != std::string_view::npos;
}

/// What is wrong with the part after the hash; empty where nothing is.
std::string_view name_problem(std::string_view name) {
  if (name.empty()) {
    return "it has no name";
  }
  if (name.size() > kMaxNameSize) {
    return "its name is longer than 211 characters";
  }
  if (!std::ranges::all_of(name, is_name_character)) {
    return "its name has a character other than letters, digits and +-._?=";
  }
  // Nix 2.20 and later refuse these: they would be taken for folders.
  if (name == "." || name == ".." || name.starts_with(".-") || name.starts_with("..-")) {
    return "its name starts with . or ..";
  }
  return {};
}

std::string_view base_name_problem(std::string_view base_name) {
  if (base_name.size() <= kHashSize || base_name[kHashSize] != '-' ||
      base_name.substr(0, kHashSize).find_first_not_of(kHashDigits) != std::string_view::npos) {
    return "it does not start with 32 base-32 digits and a dash";
  }
  return name_problem(base_name.substr(kHashSize + 1));
}

[[noreturn]] void refuse(std::string_view text, std::string_view problem) {
  throw FormatError(fmt::format("'{}' is not a store path: {}", printable(text), problem));
}

}  // namespace

StorePath StorePath::parse(std::string_view text) {
  if (!text.starts_with(kStoreDir) || text.size() <= kStoreDir.size() ||
      text[kStoreDir.size()] != '/') {
    refuse(text, "it is not below /nix/store");
  }
  const std::string_view base_name = text.substr(kStoreDir.size() + 1);
  if (const auto problem = base_name_problem(base_name); !problem.empty()) {
    refuse(text, problem);
  }
  return StorePath(std::string(base_name));
}

StorePath StorePath::from_base_name(std::string_view base_name) {
  if (const auto problem = base_name_problem(base_name); !problem.empty()) {
    refuse(base_name, problem);
  }
  return StorePath(std::string(base_name));
}

}  // namespace seed::nix
