#include "nix/seed_cfg.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/json.hpp"

namespace seed::nix {
namespace {

using nlohmann::json;

constexpr std::string_view kName = "seedCfg";
constexpr std::array<std::string_view, 5> kMembers{
    "builders", "registry", "rekor", "trust", "version"};
constexpr const char* kHint = "make the flake's seedCfg with nix-seed's lib.mkSeedCfg";

}  // namespace

SeedCfg parse_seed_cfg(std::string_view text) {
  const json object = parse_json(text, "the flake's seedCfg");
  if (!object.is_object()) {
    throw FormatError("the flake's seedCfg is no set", kHint);
  }
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(kMembers, name) == kMembers.end()) {
      throw FormatError(fmt::format("the flake's seedCfg has no option '{}'", printable(name)),
                        kHint);
    }
  }
  if (const auto version = object.find("version"); version != object.end() && *version != 1) {
    throw FormatError(fmt::format("the flake's seedCfg has version {}, this program reads 1",
                                  printable(version->dump())),
                      "use the same release of nix-seed for the flake input and the program");
  }
  SeedCfg cfg;
  if (const auto found = object.find("registry"); found != object.end() && !found->is_null()) {
    if (!found->is_string() || found->get_ref<const std::string&>().empty()) {
      throw FormatError("'registry' of the flake's seedCfg names no registry", kHint);
    }
    cfg.registry = found->get<std::string>();
  }
  return cfg;
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
