#include "nix/closure_diff.hpp"

#include <map>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::nix {
namespace {

constexpr std::size_t kMaxPaths = 1'000'000;

std::map<std::string, std::string> parse(std::string_view manifest) {
  std::map<std::string, std::string> paths;
  while (!manifest.empty()) {
    const std::size_t end = manifest.find('\n');
    const std::string_view line = manifest.substr(0, end);
    const std::size_t blank = line.find("  ");
    if (end == std::string_view::npos || blank == std::string_view::npos ||
        !line.starts_with("sha256:") || !line.substr(blank + 2).starts_with('/')) {
      throw FormatError(fmt::format("'{}' is no line of a closure manifest", printable(line)));
    }
    const bool added =
        paths.emplace(std::string(line.substr(blank + 2)), std::string(line.substr(0, blank)))
            .second;
    if (!added || paths.size() > kMaxPaths) {
      throw FormatError(fmt::format("a closure manifest has '{}' twice, or more than {} paths",
                                    printable(line.substr(blank + 2)),
                                    kMaxPaths));
    }
    manifest.remove_prefix(end + 1);
  }
  return paths;
}

}  // namespace

std::vector<ClosureDifference> compare_closures(std::string_view first, std::string_view second) {
  std::map<std::string, ClosureDifference> all;
  for (const auto& [path, hash] : parse(first)) {
    all[path] = {path, hash, ""};
  }
  for (const auto& [path, hash] : parse(second)) {
    all[path].path = path;
    all[path].second = hash;
  }
  std::vector<ClosureDifference> differences;
  for (auto& [path, difference] : all) {
    if (difference.first != difference.second) {
      differences.push_back(std::move(difference));
    }
  }
  return differences;
}

}  // namespace seed::nix
