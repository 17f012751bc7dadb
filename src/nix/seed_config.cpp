#include "nix/seed_config.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::nix {
namespace {

using nlohmann::json;

[[noreturn]] void wrong(std::string_view member, std::string_view wanted) {
  throw FormatError(fmt::format("'{}' of the flake's seed attribute is not {}", member, wanted),
                    "make the attribute with nix-seed's lib.mkSeed");
}

std::string text_at(const json& object, const char* member) {
  const auto found = object.find(member);
  if (found == object.end() || found->is_null()) {
    return {};
  }
  if (!found->is_string()) {
    wrong(member, "a string");
  }
  return found->get<std::string>();
}

std::optional<std::string> optional_at(const json& object, const char* member) {
  std::string text = text_at(object, member);
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

std::vector<std::string> list_at(const json& object, const char* member) {
  std::vector<std::string> list;
  const auto found = object.find(member);
  if (found == object.end() || found->is_null()) {
    return list;
  }
  if (!found->is_array()) {
    wrong(member, "a list");
  }
  for (const json& item : *found) {
    if (!item.is_string()) {
      wrong(member, "a list of strings");
    }
    list.push_back(item.get<std::string>());
  }
  return list;
}

bool flag_at(const json& object, const char* member, bool otherwise) {
  const auto found = object.find(member);
  if (found == object.end()) {
    return otherwise;
  }
  if (!found->is_boolean()) {
    wrong(member, "true or false");
  }
  return found->get<bool>();
}

}  // namespace

SeedConfig parse_seed_config(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) {
    wrong("nixSeed", "an object");
  }
  const auto version = object.find("version");
  if (version == object.end() || *version != 1) {
    throw FormatError(fmt::format("the flake's seed attribute has version {}, this program reads 1",
                                  version == object.end() ? "none" : printable(version->dump())),
                      "use the same release of nix-seed for the flake input and the program");
  }
  SeedConfig config;
  config.nix = text_at(object, "nix");
  config.tools = list_at(object, "tools");
  config.contents = list_at(object, "contents");
  config.cacert = optional_at(object, "cacert");
  config.loader = optional_at(object, "loader");
  config.libs = list_at(object, "libs");
  config.config = text_at(object, "config");
  config.offline = flag_at(object, "offline", true);
  config.exclude_inputs = list_at(object, "excludeInputs");
  config.name = optional_at(object, "name");
  if (config.nix.empty()) {
    wrong("nix", "a store path");
  }
  return config;
}

}  // namespace seed::nix
