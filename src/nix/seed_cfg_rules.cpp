#include "nix/seed_cfg_rules.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/seed_cfg_options.hpp"

namespace seed::nix {
namespace {

/// A builder that its name tells much of: who vouches for it, and what it is called there.
struct KnownHost {
  std::string_view name;
  std::string_view issuer;
  std::string_view address;   ///< of repositories
  std::string_view workflow;  ///< behind the repository: the rest of the identity
  bool groups;                ///< repositories may lie deeper than OWNER/NAME
};

constexpr std::array kHosts{
    KnownHost{"github",
              "https://token.actions.githubusercontent.com",
              "https://github.com/",
              // job_workflow_ref of a job in the workflow file that the quickstart makes
              "/.github/workflows/seed.yml@refs/heads/main",
              false},
    KnownHost{"gitlab",
              "https://gitlab.com",
              "https://gitlab.com/",
              "//.gitlab-ci.yml@refs/heads/main",  // ci_config_ref_uri
              true},
};

const KnownHost* host_named(std::string_view name) {
  const auto* found = std::ranges::find(kHosts, name, &KnownHost::name);
  return found == kHosts.end() ? nullptr : found;
}

const KnownHost* host_of_issuer(std::string_view issuer) {
  const auto* found = std::ranges::find(kHosts, issuer, &KnownHost::issuer);
  return found == kHosts.end() ? nullptr : found;
}

bool is_address(std::string_view text) {
  return text.starts_with("https://") || text.starts_with("http://");
}

bool is_repository_of(const KnownHost& host, std::string_view address) {
  if (!address.starts_with(host.address)) {
    return false;
  }
  address.remove_prefix(host.address.size());
  const auto slashes = std::ranges::count(address, '/');
  return !address.starts_with('/') && !address.ends_with('/') &&
         (host.groups ? slashes >= 1 : slashes == 1);
}

[[noreturn]] void refuse(std::string message, std::string hint) {
  throw FormatError("seedCfg: " + std::move(message), "write " + std::move(hint));
}

[[noreturn]] void missing(const std::string& at, std::string_view field, std::string_view why) {
  refuse(fmt::format("'{}.{}' is missing{}", at, field, why),
         fmt::format("for example: {}.{}", at, find_option(builder_options(), field).example));
}

void check_key(const std::string& at, const SeedCfgBuilder& builder) {
  if (!builder.issuer.empty() || !builder.identity.empty()) {
    refuse(fmt::format("'{}.key' is given, and so is '{}.{}'",
                       at,
                       at,
                       builder.issuer.empty() ? "identity" : "issuer"),
           "the key of a builder that signs with a key, or the issuer and identity of one that "
           "signs with a certificate");
  }
}

void check_repository(const std::string& name,
                      const SeedCfgBuilder& builder,
                      const std::string& written) {
  const std::string at = "builders." + name;
  const CfgOption& option = find_option(builder_options(), "repository");
  if (!written.empty() && builder.repository.empty()) {
    refuse_value(at + ".repository",
                 written,
                 "an https:// address, and only for github and gitlab is the host known",
                 "repository = \"https://git.example.org/acme/app\";");
  }
  const KnownHost* host = host_of_issuer(builder.issuer);
  if (host != nullptr && !builder.repository.empty() &&
      !is_repository_of(*host, builder.repository)) {
    refuse_value(
        at + ".repository", written, "a repository of " + std::string(host->name), option.example);
  }
}

/// Two that have the same: builder to builder, in the order of their names.
std::optional<std::pair<std::string, std::string>> sharing(
    const SeedCfg& cfg, const std::function<std::string(const SeedCfgBuilder&)>& value) {
  std::map<std::string, std::string> seen;
  for (const auto& [name, builder] : cfg.builders) {
    const auto [other, added] = seen.emplace(value(builder), name);
    if (!added) {
      return std::pair(other->second, name);
    }
  }
  return std::nullopt;
}

/// Hosts ignore the case of owners and repositories.
std::string signer_of(const SeedCfgBuilder& builder) {
  if (!builder.key.empty()) {
    return builder.key.ends_with('\n') ? builder.key : builder.key + "\n";
  }
  return to_lower(builder.issuer + " " + builder.identity);
}

void check_builders_together(const SeedCfg& cfg) {
  std::vector<std::string> masters;
  for (const auto& [name, builder] : cfg.builders) {
    if (builder.master) {
      masters.push_back(name);
    }
  }
  if (masters.size() > 1) {
    refuse(
        fmt::format(
            "'builders.{}.master' is true, and so is 'builders.{}.master'", masters[1], masters[0]),
        "master = true; for one builder");
  }
  if (const auto same = sharing(cfg, signer_of)) {
    const bool key = !cfg.builders.at(same->second).key.empty();
    refuse(fmt::format("'builders.{}.{}' is that of 'builders.{}' too, so that one builder would "
                       "count twice",
                       same->second,
                       key ? "key" : "identity",
                       same->first),
           fmt::format("one of them, or the {} of another", key ? "key" : "identity"));
  }
}

void check_logs(const SeedCfg& cfg) {
  if (cfg.logs.empty()) {
    refuse("'rekor.logs' is an empty list",
           fmt::format("for example: {}", find_option(rekor_options(), "logs").example));
  }
  std::vector<std::string> seen;
  for (const std::string& log : cfg.logs) {
    if (std::ranges::find(seen, log) != seen.end()) {
      refuse(fmt::format("'rekor.logs' has {} twice", show(log)), "each log once");
    }
    seen.push_back(log);
  }
}

std::string up_to(std::size_t most) {
  return most == 2 ? "2" : fmt::format("a number from 2 to {}", most);
}

void check_levels(const SeedCfg& cfg, const WrittenQuorums& written) {
  const std::string_view level = to_string(cfg.trust);
  const std::size_t builders = cfg.builders.size();
  if (cfg.trust == TrustLevel::innocent && written.quorum.value_or(1) > 1) {
    refuse(
        fmt::format("'rekor.quorum' is {}, but 'trust' is \"innocent\", which counts one builder",
                    *written.quorum),
        "trust = \"credulous\";");
  }
  if (cfg.trust != TrustLevel::suspicious && written.log_quorum.value_or(1) > 1) {
    refuse(fmt::format("'rekor.logQuorum' is {}, but 'trust' is \"{}\", which counts one log",
                       *written.log_quorum,
                       level),
           "trust = \"suspicious\";");
  }
  if (cfg.trust != TrustLevel::innocent && builders < 2) {
    refuse(fmt::format("'trust' is \"{}\", which needs two builders or more, and 'builders' has {}",
                       level,
                       builders),
           "another builder, or trust = \"innocent\";");
  }
  if (written.quorum.value_or(1) > 1 && *written.quorum > builders) {
    refuse(fmt::format("'rekor.quorum' is {}, but 'builders' has {}", *written.quorum, builders),
           up_to(builders));
  }
  if (cfg.trust != TrustLevel::innocent && written.quorum == 1) {
    refuse(fmt::format("'rekor.quorum' is 1, but 'trust' is \"{}\", which needs 2 or more", level),
           fmt::format("for example: {}", find_option(rekor_options(), "quorum").example));
  }
}

void check_log_quorum(const SeedCfg& cfg, const WrittenQuorums& written) {
  if (cfg.trust == TrustLevel::suspicious && cfg.logs.size() < 2) {
    refuse(fmt::format("'trust' is \"suspicious\", which needs two logs or more, and 'rekor.logs' "
                       "has {}",
                       cfg.logs.size()),
           "the address of another log, or trust = \"credulous\";");
  }
  if (written.log_quorum && *written.log_quorum > cfg.logs.size()) {
    refuse(fmt::format("'rekor.logQuorum' is {}, but 'rekor.logs' has {}",
                       *written.log_quorum,
                       cfg.logs.size()),
           up_to(cfg.logs.size()));
  }
  if (cfg.trust == TrustLevel::suspicious && written.log_quorum == 1) {
    refuse("'rekor.logQuorum' is 1, but 'trust' is \"suspicious\", which needs 2 or more",
           fmt::format("for example: {}", find_option(rekor_options(), "logQuorum").example));
  }
}

void check_master(const SeedCfg& cfg) {
  const auto is_master = [](const auto& entry) { return entry.second.master; };
  if (cfg.trust != TrustLevel::innocent && std::ranges::none_of(cfg.builders, is_master)) {
    const std::string& first = cfg.builders.begin()->first;
    refuse("'builders.<name>.master' is true for none of the builders, and one has to promote",
           fmt::format("for example: builders.{}.master = true;", first));
  }
}

void check_independence(const SeedCfg& cfg) {
  for (const std::string& wanted : cfg.independent) {
    const auto rule = std::ranges::find(independence(), wanted, &Independence::name);
    for (const auto& [name, builder] : cfg.builders) {
      if (rule->value(builder).empty()) {
        missing("builders." + name,
                rule->option,
                fmt::format(", and 'independent' has \"{}\"", rule->name));
      }
    }
    if (const auto same = sharing(cfg, rule->value)) {
      refuse(fmt::format("'builders.{}' and 'builders.{}' have one {}, and 'independent' forbids "
                         "it: {}",
                         same->first,
                         same->second,
                         rule->name,
                         show(rule->value(cfg.builders.at(same->second)))),
             fmt::format("another builder, or take \"{}\" out of 'independent'", rule->name));
    }
  }
}

}  // namespace

std::string owner_of(const SeedCfgBuilder& builder) {
  const std::size_t scheme = builder.repository.find("://");
  if (scheme == std::string::npos) {
    return {};
  }
  const std::size_t path = builder.repository.find('/', scheme + 3);
  const std::size_t end = path == std::string::npos ? path : builder.repository.find('/', path + 1);
  return end == std::string::npos ? "" : to_lower(builder.repository.substr(0, end));
}

const std::vector<Independence>& independence() {
  static const std::vector<Independence> kAll{
      {"owner", "repository", owner_of},
      {"corporateParent",
       "corporateParent",
       [](const SeedCfgBuilder& builder) { return builder.corporate_parent; }},
      {"jurisdiction",
       "jurisdiction",
       [](const SeedCfgBuilder& builder) { return builder.jurisdiction; }},
      {"runner", "runner", [](const SeedCfgBuilder& builder) { return builder.runner; }}};
  return kAll;
}

void fill_in_builder(const std::string& name, SeedCfgBuilder& builder) {
  const KnownHost* host = host_named(name);
  // The host's own issuer vouches for repositories there, another one for we know not what.
  const bool usual = host != nullptr && builder.key.empty() &&
                     (builder.issuer.empty() || builder.issuer == host->issuer);
  if (usual) {
    builder.issuer = host->issuer;
  }
  if (!builder.repository.empty() && !is_address(builder.repository)) {
    builder.repository = host == nullptr ? "" : std::string(host->address) + builder.repository;
  }
  if (usual && builder.identity.empty() && !builder.repository.empty()) {
    builder.identity = builder.repository + std::string(host->workflow);
  }
}

void check_builder(const std::string& name,
                   const SeedCfgBuilder& builder,
                   const std::string& repository) {
  const std::string at = "builders." + name;
  if (!builder.key.empty()) {
    check_key(at, builder);
    check_repository(name, builder, repository);
    return;
  }
  if (!repository.empty() && builder.repository.empty()) {
    check_repository(name, builder, repository);
  }
  if (builder.issuer.empty()) {
    missing(at, "issuer", ", and only those of github and gitlab are known");
  }
  check_repository(name, builder, repository);
  // Whoever calls a workflow of others has its identity: only the repository tells them apart.
  if (builder.repository.empty() && host_of_issuer(builder.issuer) != nullptr) {
    missing(at,
            "repository",
            builder.identity.empty() ? ", from which the identity follows"
                                     : ", and anyone's job may call the identity's workflow");
  }
  if (builder.identity.empty()) {
    missing(at, "identity", "");
  }
}

void check_together(const SeedCfg& cfg, const WrittenQuorums& written) {
  check_builders_together(cfg);
  check_logs(cfg);
  check_levels(cfg, written);
  check_log_quorum(cfg, written);
  check_master(cfg);
  check_independence(cfg);
}

}  // namespace seed::nix
