#include "trust/builders.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"

namespace seed::trust {
namespace {

constexpr std::string_view kGitHubIssuer = "https://token.actions.githubusercontent.com";
constexpr std::string_view kGitLabIssuer = "https://gitlab.com";

/// Where the certificates of an issuer name the repository (fulcio's oid-info.md).
bool names_repository(std::string_view issuer) {
  return issuer == kGitHubIssuer || issuer == kGitLabIssuer;
}

sigstore::Identity identity_of(const nix::SeedCfgBuilder& builder) {
  const auto given = [](const std::string& text) {
    return text.empty() ? std::optional<std::string>{} : std::optional(text);
  };
  sigstore::Identity identity{.issuer = builder.issuer,
                              .subject = builder.identity,
                              .source_repository_id = given(builder.repository_id),
                              .source_owner_id = given(builder.owner_id)};
  if (names_repository(builder.issuer)) {
    identity.source_repository_uri = given(builder.repository);
  }
  sigstore::check_identity(identity);
  return identity;
}

KnownBuilder known(const std::string& name, const nix::SeedCfgBuilder& builder) {
  return while_doing(fmt::format("seedCfg: 'builders.{}'", name), [&]() -> KnownBuilder {
    if (!builder.key.empty()) {
      return {name, sigstore::PublicKey::parse_pem(builder.key), builder};
    }
    return {name, identity_of(builder), builder};
  });
}

/// Whether somebody could be both. Each identity is exact, so two that differ in a field that both
/// have share nobody. Hosts ignore case in names.
bool overlap(const sigstore::Identity& a, const sigstore::Identity& b) {
  const auto differ = [](const std::optional<std::string>& x, const std::optional<std::string>& y) {
    return x && y && to_lower(*x) != to_lower(*y);
  };
  return a.issuer == b.issuer && !differ(a.subject, b.subject) &&
         !differ(a.source_repository_uri, b.source_repository_uri) &&
         !differ(a.source_repository_id, b.source_repository_id) &&
         !differ(a.source_owner_id, b.source_owner_id);
}

bool overlap(const KnownBuilder& a, const KnownBuilder& b) {
  if (a.who.index() != b.who.index()) {
    return false;
  }
  return a.signs_with_key()
             ? std::get<sigstore::PublicKey>(a.who) == std::get<sigstore::PublicKey>(b.who)
             : overlap(std::get<sigstore::Identity>(a.who), std::get<sigstore::Identity>(b.who));
}

void check_apart(const std::vector<KnownBuilder>& builders) {
  for (std::size_t i = 0; i < builders.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (overlap(builders[i], builders[j])) {
        throw FormatError(fmt::format("seedCfg: one signer can be both 'builders.{}' and "
                                      "'builders.{}', and would count twice",
                                      builders[j].name,
                                      builders[i].name),
                          "write one of them, or another key or identity");
      }
    }
  }
}

/// A log without its scheme: the origin line of its checkpoints.
std::string_view origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  url.remove_prefix(scheme == std::string_view::npos ? 0 : scheme + 3);
  while (url.ends_with('/')) {
    url.remove_suffix(1);
  }
  return url;
}

}  // namespace

QuorumPolicy QuorumPolicy::of(const nix::SeedCfg& cfg) {
  QuorumPolicy policy(cfg);
  for (const auto& [name, builder] : cfg.builders) {
    policy.builders_.push_back(known(name, builder));
  }
  if (policy.builders_.empty()) {
    throw FormatError("seedCfg: 'builders' is empty, so that nobody's word counts",
                      "write for example: builders.github.repository = \"acme/app\";");
  }
  if (cfg.quorum < 1 || cfg.quorum > policy.builders_.size()) {
    throw FormatError(fmt::format("seedCfg: 'rekor.quorum' is {}, but 'builders' has {}",
                                  cfg.quorum,
                                  policy.builders_.size()),
                      "write a number from 1 to that of the builders");
  }
  check_apart(policy.builders_);
  return policy;
}

QuorumPolicy QuorumPolicy::parse(std::string_view json) {
  return of(nix::parse_seed_cfg(json));
}

const KnownBuilder* QuorumPolicy::builder(std::string_view name) const {
  const auto found = std::ranges::find(builders_, name, &KnownBuilder::name);
  return found == builders_.end() ? nullptr : &*found;
}

const KnownBuilder* QuorumPolicy::master() const {
  const auto found =
      std::ranges::find_if(builders_, [](const KnownBuilder& one) { return one.cfg.master; });
  return found == builders_.end() ? nullptr : &*found;
}

unsigned QuorumPolicy::logs_needed(const KnownBuilder& builder) const {
  return builder.signs_with_key() && cfg_.trust != nix::TrustLevel::suspicious ? 0
                                                                               : cfg_.log_quorum;
}

bool QuorumPolicy::is_log(std::string_view base_url) const {
  return std::ranges::any_of(
      cfg_.logs, [&](const std::string& log) { return origin_of(log) == origin_of(base_url); });
}

Policy QuorumPolicy::keyless() const {
  Policy policy;
  for (const KnownBuilder& builder : builders_) {
    if (const auto* identity = std::get_if<sigstore::Identity>(&builder.who)) {
      policy.identities.push_back(*identity);
    }
  }
  return policy;
}

Policy QuorumPolicy::for_key(const KnownBuilder& builder) const {
  Policy policy;
  policy.keys = {std::get<sigstore::PublicKey>(builder.who)};
  policy.logs = logs_needed(builder) == 0 ? 0 : 1;
  policy.times = 0;
  policy.certificate_logs = 0;
  return policy;
}

const KnownBuilder* QuorumPolicy::builder_of(const sigstore::Identity& identity) const {
  const auto found = std::ranges::find_if(builders_, [&](const KnownBuilder& one) {
    const auto* known = std::get_if<sigstore::Identity>(&one.who);
    return known != nullptr && *known == identity;
  });
  return found == builders_.end() ? nullptr : &*found;
}

std::vector<Dependence> QuorumPolicy::dependences() const {
  std::vector<Dependence> list;
  for (const nix::Independence& rule : nix::independence()) {
    for (std::size_t i = 0; i < builders_.size(); ++i) {
      for (std::size_t j = i + 1; j < builders_.size(); ++j) {
        const std::string value = rule.value(builders_[i].cfg);
        if (!value.empty() && value == rule.value(builders_[j].cfg)) {
          list.push_back({builders_[i].name, builders_[j].name, std::string(rule.name), value});
        }
      }
    }
  }
  return list;
}

Digest QuorumPolicy::digest() const {
  nlohmann::json builders = nlohmann::json::object();
  for (const KnownBuilder& one : builders_) {
    builders[one.name] = {{"master", one.cfg.master},
                          {"issuer", one.cfg.issuer},
                          {"identity", one.cfg.identity},
                          {"key", one.cfg.key},
                          {"repository", one.cfg.repository},
                          {"repositoryId", one.cfg.repository_id},
                          {"ownerId", one.cfg.owner_id}};
  }
  return Digest::of(oci::to_canonical_json({{"trust", nix::to_string(cfg_.trust)},
                                            {"builders", builders},
                                            {"quorum", cfg_.quorum},
                                            {"logs", cfg_.logs},
                                            {"logQuorum", cfg_.log_quorum}}));
}

}  // namespace seed::trust
