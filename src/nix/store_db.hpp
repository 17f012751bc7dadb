#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "nix/closure.hpp"

namespace seed::nix {

/// Reads a Nix store database (schema 10: Nix 2.8 to 2.36, Lix 2.96) without going through Nix.
class StoreDatabase {
 public:
  virtual ~StoreDatabase() = default;
  /// In the order of `paths`, and all of one moment: the database is locked once, not for each.
  /// Nothing where a path is not valid.
  virtual std::vector<std::optional<PathInfo>> query(std::span<const StorePath> paths) = 0;
  /// `roots` and all they refer to. Throws Error naming a path that is not valid.
  virtual Closure closure(std::span<const StorePath> roots) = 0;
};

/// `state_dir` is /nix/var/nix as a rule. Throws Error where the database can't be read or has a
/// schema we don't know; the caller may then ask Nix itself.
std::unique_ptr<StoreDatabase> open_store_database(const std::filesystem::path& state_dir);

/// The bytes of a db.sqlite in which exactly `closure` is valid: rows in path order, registration
/// time 1, no deriver, signature or ca, so that the same closure gives the same bytes.
void write_store_database(const std::filesystem::path& file, const Closure& closure);

/// What belongs in the file `schema` beside it.
inline constexpr std::string_view kStoreSchema = "10";

}  // namespace seed::nix
