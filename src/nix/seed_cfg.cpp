#include "nix/seed_cfg.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/json.hpp"
#include "nix/seed_cfg_options.hpp"
#include "nix/seed_cfg_rules.hpp"

namespace seed::nix {
namespace {

using nlohmann::json;

constexpr std::string_view kName = "seedCfg";
constexpr std::size_t kMaxBuilders = 1000;

/// The member, or null.
const json& value_of(const json& object, const char* name) {
  static const json kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::string text_of(const json& object, const char* name) {
  const json& value = value_of(object, name);
  return value.is_null() ? "" : value.get<std::string>();
}

std::chrono::seconds seconds_of(const json& value) {
  if (value.is_number()) {
    return std::chrono::seconds(value.get<std::int64_t>());
  }
  const auto& text = value.get_ref<const std::string&>();
  const std::int64_t unit = text.back() == 's' ? 1 : text.back() == 'm' ? 60 : 3600;
  return std::chrono::seconds(std::stoll(text.substr(0, text.size() - 1)) * unit);
}

SeedCfgBuilder builder_of(const std::string& name, const json& given) {
  SeedCfgBuilder builder{.issuer = text_of(given, "issuer"),
                         .identity = text_of(given, "identity"),
                         .key = text_of(given, "key"),
                         .repository = text_of(given, "repository"),
                         .repository_id = text_of(given, "repositoryId"),
                         .owner_id = text_of(given, "ownerId"),
                         .registry = text_of(given, "registry"),
                         .corporate_parent = text_of(given, "corporateParent"),
                         .jurisdiction = text_of(given, "jurisdiction"),
                         .runner = text_of(given, "runner")};
  builder.master = value_of(given, "master") == true;
  fill_in_builder(name, builder);
  return builder;
}

TrustLevel level_of(const json& value) {
  if (value == "credulous") {
    return TrustLevel::credulous;
  }
  return value == "suspicious" ? TrustLevel::suspicious : TrustLevel::innocent;
}

std::vector<std::string> list_of(const json& value) {
  std::vector<std::string> list;
  for (const json& item : value) {
    list.push_back(item.get<std::string>());
  }
  return list;
}

void check_builder_names(const json& builders) {
  const CfgOption& option = find_option(seed_cfg_options(), "builders");
  for (const auto& [name, builder] : builders.items()) {
    if (!builder.is_object()) {
      refuse_value("builders." + name, builder, "a set of options", option.example);
    }
  }
  for (const auto& [name, builder] : builders.items()) {
    if (!is_builder_name(name)) {
      refuse_value(
          "builders", name, "a builder's name: small letters, digits and '-'", option.example);
    }
  }
  if (builders.size() > kMaxBuilders) {
    throw FormatError(fmt::format("seedCfg: 'builders' has {}, and no more than {} are counted",
                                  builders.size(),
                                  kMaxBuilders),
                      "write fewer builders");
  }
}

/// Whatever is wrong with a part alone.
void check_parts(const json& given) {
  if (value_of(given, "trust") == "zero") {
    throw FormatError("seedCfg: 'trust' is \"zero\", which this release can't enforce",
                      "write for example: trust = \"suspicious\";");
  }
  check_options("", seed_cfg_options(), given);
  const json& builders = value_of(given, "builders");
  if (builders.is_object()) {
    check_builder_names(builders);
    for (const auto& [name, builder] : builders.items()) {
      check_options("builders." + name + ".", builder_options(), builder);
      check_builder(name, builder_of(name, builder), text_of(builder, "repository"));
    }
  }
  if (const json& rekor = value_of(given, "rekor"); rekor.is_object()) {
    check_options("rekor.", rekor_options(), rekor);
  }
}

SeedCfg value_of(const json& given) {
  SeedCfg cfg{.trust = level_of(value_of(given, "trust")),
              .independent = list_of(value_of(given, "independent"))};
  if (const json& registry = value_of(given, "registry"); !registry.is_null()) {
    cfg.registry = registry.get<std::string>();
  }
  if (const json& builders = value_of(given, "builders"); builders.is_object()) {
    for (const auto& [name, builder] : builders.items()) {
      cfg.builders.emplace(name, builder_of(name, builder));
    }
  }
  const json none = json::object();
  const json& rekor = value_of(given, "rekor").is_object() ? value_of(given, "rekor") : none;
  if (rekor.contains("logs")) {
    cfg.logs = list_of(rekor["logs"]);
  }
  if (rekor.contains("deadline")) {
    cfg.deadline = seconds_of(rekor["deadline"]);
  }
  const json& quorum = value_of(rekor, "quorum");
  const json& log_quorum = value_of(rekor, "logQuorum");
  check_together(cfg,
                 {.quorum = quorum.is_null() ? std::optional<unsigned>{} : quorum.get<unsigned>(),
                  .log_quorum = log_quorum.is_null() ? std::optional<unsigned>{}
                                                     : log_quorum.get<unsigned>()});
  cfg.quorum = !quorum.is_null()                   ? quorum.get<unsigned>()
               : cfg.trust == TrustLevel::innocent ? 1
                                                   : static_cast<unsigned>(cfg.builders.size());
  cfg.log_quorum = !log_quorum.is_null()                 ? log_quorum.get<unsigned>()
                   : cfg.trust == TrustLevel::suspicious ? static_cast<unsigned>(cfg.logs.size())
                                                         : 1;
  return cfg;
}

}  // namespace

std::string_view to_string(TrustLevel level) {
  switch (level) {
    case TrustLevel::innocent:
      return "innocent";
    case TrustLevel::credulous:
      return "credulous";
    case TrustLevel::suspicious:
      break;
  }
  return "suspicious";
}

SeedCfg parse_seed_cfg(std::string_view text) {
  json object = parse_json(text, "the flake's seedCfg");
  if (!object.is_object()) {
    throw FormatError(
        fmt::format("seedCfg: the argument is {}, which is not a set of options", show(object)),
        "write for example: mkSeedCfg { trust = \"innocent\"; }");
  }
  if (const auto version = object.find("version"); version != object.end()) {
    if (*version != 1) {
      throw FormatError(fmt::format("the flake's seedCfg has version {}, this program reads 1",
                                    printable(version->dump())),
                        "use the same release of nix-seed for the flake input and the program");
    }
    object.erase(version);
  }
  check_parts(object);
  return value_of(object);
}

bool mentions_seed_cfg(std::string_view flake_nix) {
  return flake_nix.find(kName) != std::string_view::npos;
}

std::optional<SeedCfg> read_seed_cfg(Nix& nix, const std::string& flake) {
  for (const char* path : {"seedCfg", "packages.seedCfg"}) {
    if (const auto text = nix.eval_json(fmt::format("{}#{}", flake, path))) {
      return parse_seed_cfg(*text);
    }
  }
  return std::nullopt;
}

}  // namespace seed::nix
