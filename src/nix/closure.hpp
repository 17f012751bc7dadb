#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "nix/store_path.hpp"

namespace seed::nix {

/// What the store's database says of one valid path.
struct PathInfo {
  StorePath path;
  Digest nar_hash;
  std::uint64_t nar_size = 0;
  std::set<StorePath> references;  ///< may hold the path itself

  bool operator==(const PathInfo&) const = default;
};

/// Sorted by path, no path twice, every reference inside: only make_closure() builds one.
class Closure {
 public:
  const std::vector<PathInfo>& paths() const { return paths_; }

  const PathInfo* find(const StorePath& path) const;
  std::uint64_t nar_size() const;

  /// DESIGN §2: `sha256:<nix32>  <storePath>` and LF for each path, sorted bytewise.
  std::string manifest() const;

  /// SHA-256 of manifest(): the closure digest.
  Digest digest() const { return Digest::of(manifest()); }

 private:
  friend Closure make_closure(std::vector<PathInfo> paths);
  std::vector<PathInfo> paths_;
};

/// Sorts; throws Error naming the path where one is twice or a reference is not among them.
Closure make_closure(std::vector<PathInfo> paths);

/// The text `nix-store --load-db` reads, without derivers (reference: nix-store
/// --register-validity).
std::string registration(const Closure& closure);

/// Reads that text, also as `nix-store --dump-db` prints it, with derivers (which are not kept).
/// Throws FormatError.
std::vector<PathInfo> parse_registration(std::string_view text);

}  // namespace seed::nix
