#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nix/nix.hpp"

namespace seed::nix {

/// How many have to say the same (DESIGN §4): one builder; several; and several logs.
enum class TrustLevel { innocent, credulous, suspicious };

std::string_view to_string(TrustLevel level);

/// One of seedCfg's builders, with what its name says filled in. Empty: not given.
struct SeedCfgBuilder {
  bool master = false;
  std::string issuer;         ///< and `identity`; or else `key`
  std::string identity;       ///< the certificate's subject, whole
  std::string key;            ///< PEM
  std::string repository;     ///< an https:// address
  std::string repository_id;  ///< digits
  std::string owner_id;       ///< digits
  std::string registry;       ///< where it pushes
  std::string corporate_parent;
  std::string jurisdiction;
  std::string runner;

  bool operator==(const SeedCfgBuilder&) const = default;
};

/// A flake's `seedCfg`: what lib/seed-cfg.nix makes of it.
struct SeedCfg {
  std::optional<std::string> registry;
  TrustLevel trust = TrustLevel::innocent;
  std::map<std::string, SeedCfgBuilder> builders;
  std::vector<std::string> independent;  ///< owner, corporateParent, jurisdiction, runner
  unsigned quorum = 1;
  std::chrono::seconds deadline{1800};
  std::vector<std::string> logs{"https://rekor.sigstore.dev"};
  unsigned log_quorum = 1;

  bool operator==(const SeedCfg&) const = default;
};

/// The owner of a builder's repository, https://HOST/OWNER in lower case; empty where there is
/// none.
std::string owner_of(const SeedCfgBuilder& builder);

/// What `independent` can ask of builders, and what a builder says of it.
struct Independence {
  std::string_view name;
  std::string_view option;  ///< the builder's, from which it follows
  std::string (*value)(const SeedCfgBuilder&);
};

const std::vector<Independence>& independence();

/// The value of lib.mkSeedCfg, or a set of the same members written by hand, with the checks and in
/// the words of lib/seed-cfg.nix. Throws FormatError naming the member that is wrong.
SeedCfg parse_seed_cfg(std::string_view json);

/// Whether a flake.nix can have a seedCfg: evaluating costs a process, its text only a look.
bool mentions_seed_cfg(std::string_view flake_nix);

/// `seedCfg` of the flake, or `packages.seedCfg`; nothing where it has neither.
std::optional<SeedCfg> read_seed_cfg(Nix& nix, const std::string& flake);

}  // namespace seed::nix
