#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "nix/seed_cfg.hpp"
#include "sigstore/identity.hpp"
#include "sigstore/keys.hpp"
#include "trust/policy.hpp"

namespace seed::trust {

/// One of the builders whose word counts.
struct KnownBuilder {
  std::string name;
  std::variant<sigstore::Identity, sigstore::PublicKey> who;
  nix::SeedCfgBuilder cfg;  ///< as it was written, with what its name says filled in

  bool signs_with_key() const { return std::holds_alternative<sigstore::PublicKey>(who); }
};

/// Two builders that are less than two: what they have in common.
struct Dependence {
  std::string first;
  std::string second;
  std::string what;  ///< owner, corporateParent, jurisdiction or runner
  std::string value;

  bool operator==(const Dependence&) const = default;
};

/// Whose word counts, and how many of them it takes. What one holds was checked: no builder can
/// count twice, the quorum is between one and all, no signer can be two builders.
class QuorumPolicy {
 public:
  /// Throws FormatError naming the field.
  static QuorumPolicy of(const nix::SeedCfg& cfg);
  /// A file with the members of seedCfg. Throws FormatError.
  static QuorumPolicy parse(std::string_view json);

  const std::vector<KnownBuilder>& builders() const { return builders_; }  ///< by name

  const KnownBuilder* builder(std::string_view name) const;
  /// Who promotes; nothing where one builder is enough and none was named.
  const KnownBuilder* master() const;

  nix::TrustLevel level() const { return cfg_.trust; }

  unsigned quorum() const { return cfg_.quorum; }

  unsigned log_quorum() const { return cfg_.log_quorum; }

  const std::vector<std::string>& logs() const { return cfg_.logs; }

  std::chrono::seconds deadline() const { return cfg_.deadline; }

  const std::optional<std::string>& registry() const { return cfg_.registry; }

  /// How many independent logs a builder's word has to be in. Who signs with a key of his own needs
  /// none, unless the level asks for several.
  unsigned logs_needed(const KnownBuilder& builder) const;

  /// Whether `base_url` is one of logs(). A log is named by its host and path, whatever the scheme.
  bool is_log(std::string_view base_url) const;

  /// What a gate has to ask of one bundle for `builder`s of certificates, or of the one key.
  Policy keyless() const;
  Policy for_key(const KnownBuilder& builder) const;

  /// Which builder a signer is; nothing where it is none, and never one of two.
  const KnownBuilder* builder_of(const sigstore::Identity& identity) const;

  /// In the order of names.
  std::vector<Dependence> dependences() const;

  /// SHA-256 of canonical JSON: the same policy, the same digest.
  Digest digest() const;

 private:
  explicit QuorumPolicy(nix::SeedCfg cfg) : cfg_(std::move(cfg)) {}

  nix::SeedCfg cfg_;
  std::vector<KnownBuilder> builders_;
};

/// In plain words: who is counted, and what has to be subverted to forge a promotion.
std::string explain(const QuorumPolicy& policy);

}  // namespace seed::trust
