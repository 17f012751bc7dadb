#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seed::nix {

inline constexpr std::uint64_t kMaxClosureManifestBytes = 64 << 20;

/// A store path that two closures do not have alike.
struct ClosureDifference {
  std::string path;
  std::string first;  ///< hash of its NAR; empty: the first has no such path
  std::string second;

  bool operator==(const ClosureDifference&) const = default;
};

/// Two closure manifests (DESIGN §2) path by path, in the order of the paths. Throws FormatError.
std::vector<ClosureDifference> compare_closures(std::string_view first, std::string_view second);

}  // namespace seed::nix
