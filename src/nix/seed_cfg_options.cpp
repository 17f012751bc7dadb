#include "nix/seed_cfg_options.hpp"

#include <algorithm>
#include <array>
#include <regex>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::nix {
namespace {

using nlohmann::json;

/// What std::regex is given to match: it recurses for each character.
constexpr std::size_t kMaxMatched = 1024;
constexpr std::size_t kMaxKeyBytes = 4096;

/// The pattern of builtins.match, for the whole string.
bool matches(const json& value, const std::regex& pattern) {
  if (!value.is_string()) {
    return false;
  }
  const auto& text = value.get_ref<const std::string&>();
  return text.size() <= kMaxMatched && std::regex_match(text, pattern);
}

std::regex regex(const char* pattern) {
  return std::regex(pattern, std::regex::extended | std::regex::optimize);
}

constexpr const char* kUrlPattern =
    "(https://[a-z0-9.-]+|http://(localhost|127\\.0\\.0\\.1|\\[::1]))(:[0-9]+)?"
    "(/[A-Za-z0-9._~%+-]+)*";
constexpr const char* kRegistryPattern =
    "([a-z0-9]+([.-][a-z0-9]+)*\\.[a-z0-9]+([.-][a-z0-9]+)*|localhost|[a-z0-9.-]+:[0-9]+|"
    "\\[[0-9a-f:]+](:[0-9]+)?)(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)+|oci:[^[:cntrl:]]+";

bool is_url(const json& value) {
  static const std::regex kPattern = regex(kUrlPattern);
  return matches(value, kPattern);
}

bool is_registry(const json& value) {
  static const std::regex kPattern = regex(kRegistryPattern);
  return matches(value, kPattern);
}

bool is_identity(const json& value) {
  static const std::regex kPattern =
      regex("https://[^*?[:space:][:cntrl:]]+|[^*@/[:space:][:cntrl:]]+@[^*@/[:space:][:cntrl:]]+");
  return matches(value, kPattern);
}

bool is_repository(const json& value) {
  static const std::regex kPattern = regex(
      "(https://[A-Za-z0-9.-]+(:[0-9]+)?/|http://(localhost|127\\.0\\.0\\.1)(:[0-9]+)?/)?"
      "[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+");
  return matches(value, kPattern);
}

bool is_key(const json& value) {
  constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----\n";
  constexpr std::string_view kEnd = "-----END PUBLIC KEY-----";
  constexpr std::string_view kBody =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\n";
  if (!value.is_string()) {
    return false;
  }
  std::string_view text = value.get_ref<const std::string&>();
  if (text.size() > kMaxKeyBytes || !text.starts_with(kBegin)) {
    return false;
  }
  text.remove_suffix(text.ends_with('\n') ? 1 : 0);
  if (!text.ends_with(kEnd)) {
    return false;
  }
  text.remove_prefix(kBegin.size());
  text.remove_suffix(std::min(kEnd.size(), text.size()));
  return !text.empty() && text.find_first_not_of(kBody) == std::string_view::npos;
}

bool is_line(const json& value) {
  static const std::regex kPattern = regex("[^[:cntrl:]]{1,100}");
  return matches(value, kPattern);
}

bool is_country(const json& value) {
  static const std::regex kPattern = regex("[A-Z]{2}");
  return matches(value, kPattern);
}

bool is_number_text(const json& value) {
  static const std::regex kPattern = regex("[0-9]{1,20}");
  return matches(value, kPattern);
}

constexpr std::int64_t kMaxWhole = 1'000'000'000;

bool is_whole(const json& value) {
  return value.is_number_integer() && value.get<std::int64_t>() >= 1 &&
         value.get<std::int64_t>() <= kMaxWhole;
}

bool is_duration(const json& value) {
  static const std::regex kPattern = regex("[1-9][0-9]{0,5}[smh]");
  return is_whole(value) || matches(value, kPattern);
}

bool is_object(const json& value) {
  return value.is_object();
}

bool is_list(const json& value) {
  return value.is_array();
}

bool is_bool(const json& value) {
  return value.is_boolean();
}

template <std::size_t Size>
bool is_one_of(const json& value, const std::array<std::string_view, Size>& words) {
  return value.is_string() &&
         std::ranges::find(words, value.get_ref<const std::string&>()) != words.end();
}

bool is_level(const json& value) {
  return is_one_of<3>(value, {"innocent", "credulous", "suspicious"});
}

bool is_independence(const json& value) {
  return is_one_of<4>(value, {"owner", "corporateParent", "jurisdiction", "runner"});
}

constexpr std::string_view kUrl = "an https:// address without a slash at its end";
constexpr std::string_view kRegistry = "HOST/NAME in lower case without a tag, or oci:PATH";
constexpr std::string_view kIdentityExample =
    "identity = \"https://github.com/acme/app/.github/workflows/seed.yml@refs/heads/main\";";

// Sorted by name, as Nix sorts them.
constexpr std::array kOptions{
    CfgOption{"builders",
              "a set of builders by name",
              is_object,
              "builders.github.repository = \"acme/app\";",
              false},
    CfgOption{
        "independent", "a list of words", is_list, "independent = [ \"corporateParent\" ];", false},
    CfgOption{"registry", kRegistry, is_registry, "registry = \"ghcr.io/acme/app-seed\";"},
    CfgOption{"rekor", "a set of options", is_object, "rekor.quorum = 2;", false},
    CfgOption{"trust",
              R"(one of "innocent", "credulous", "suspicious")",
              is_level,
              "trust = \"credulous\";",
              false},
};
constexpr std::array kBuilderOptions{
    CfgOption{"corporateParent", "a line of text", is_line, "corporateParent = \"Microsoft\";"},
    CfgOption{"identity",
              "an https:// address or a mail address, whole, without '*'",
              is_identity,
              kIdentityExample},
    CfgOption{"issuer", kUrl, is_url, "issuer = \"https://ci.example.org\";"},
    CfgOption{
        "jurisdiction", "a code of two capital letters", is_country, "jurisdiction = \"FR\";"},
    CfgOption{"key", "a public key in PEM", is_key, "key = builtins.readFile ./builder.pub;"},
    CfgOption{"master", "true or false", is_bool, "master = true;", false},
    CfgOption{"ownerId", "a number as text", is_number_text, "ownerId = \"1234\";"},
    CfgOption{"registry", kRegistry, is_registry, "registry = \"ghcr.io/acme/app-seed\";"},
    CfgOption{"repository",
              "OWNER/NAME on github and gitlab, or an https:// address",
              is_repository,
              "repository = \"acme/app\";"},
    CfgOption{"repositoryId", "a number as text", is_number_text, "repositoryId = \"5678\";"},
    CfgOption{"runner", "a line of text", is_line, "runner = \"ubuntu-24.04\";"},
};
constexpr std::array kRekorOptions{
    CfgOption{"deadline",
              "a time such as \"30m\", or a whole number from 1 on",
              is_duration,
              "deadline = \"30m\";",
              false},
    CfgOption{"logQuorum", "a whole number from 1 on", is_whole, "logQuorum = 2;"},
    CfgOption{"logs",
              "a list of https:// addresses",
              is_list,
              "logs = [ \"https://rekor.sigstore.dev\" ];",
              false},
    CfgOption{"quorum", "a whole number from 1 on", is_whole, "quorum = 2;"},
};

/// Options that people write at the top, and where they are.
std::string hint_for(const std::string& prefix,
                     std::span<const CfgOption> options,
                     const std::string& name) {
  if (prefix.empty() && std::ranges::any_of(kRekorOptions, [&](const CfgOption& option) {
        return option.name == name;
      })) {
    return "write rekor." + name;
  }
  std::string names;
  for (const CfgOption& option : options) {
    names += (names.empty() ? "" : ", ") + std::string(option.name);
  }
  return fmt::format("the options {}are: {}",
                     prefix.empty() ? "" : "of '" + prefix.substr(0, prefix.size() - 1) + "' ",
                     names);
}

void check_elements(const std::string& at, const CfgOption& option, const json& list) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string where = fmt::format("{}[{}]", at, i);
    if (option.name == "logs" && !is_url(list[i])) {
      refuse_value(where, list[i], kUrl, option.example);
    }
    if (option.name == "independent" && !is_independence(list[i])) {
      refuse_value(where,
                   list[i],
                   R"(one of "owner", "corporateParent", "jurisdiction", "runner")",
                   option.example);
    }
  }
}

}  // namespace

std::span<const CfgOption> seed_cfg_options() {
  return kOptions;
}

std::span<const CfgOption> builder_options() {
  return kBuilderOptions;
}

std::span<const CfgOption> rekor_options() {
  return kRekorOptions;
}

const CfgOption& find_option(std::span<const CfgOption> options, std::string_view name) {
  const auto found = std::ranges::find(options, name, &CfgOption::name);
  if (found == options.end()) {
    throw Error(fmt::format("there is no option '{}' to speak of", name));
  }
  return *found;
}

std::string show(const json& value) {
  constexpr std::size_t kShown = 80;
  if (value.is_string()) {
    const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
    return printable(text.size() > kShown ? text.substr(0, kShown - 4) + "…\"" : text);
  }
  if (value.is_array()) {
    return value.empty() ? "an empty list" : "a list";
  }
  if (value.is_object()) {
    return value.contains("outPath") ? "a package" : "a set";
  }
  return value.dump();
}

void refuse_value(const std::string& at,
                  const json& value,
                  std::string_view is,
                  std::string_view example) {
  throw FormatError(
      fmt::format("seedCfg: '{}' is {}, which is not {}", printable(at), show(value), is),
      fmt::format("write for example: {}", example));
}

void check_options(const std::string& prefix,
                   std::span<const CfgOption> options,
                   const json& given) {
  for (const auto& [name, value] : given.items()) {
    if (std::ranges::find(options, name, &CfgOption::name) == options.end()) {
      throw FormatError(fmt::format("seedCfg: there is no option '{}'", printable(prefix + name)),
                        hint_for(prefix, options, name));
    }
  }
  for (const auto& [name, value] : given.items()) {
    const CfgOption& option = find_option(options, name);
    if (option.nullable && value.is_null()) {
      continue;
    }
    if (!option.test(value)) {
      refuse_value(prefix + name, value, option.is, option.example);
    }
    check_elements(prefix + name, option, value);
  }
}

bool is_builder_name(const std::string& text) {
  static const std::regex kPattern = regex("[a-z][a-z0-9-]*");
  return text.size() <= kMaxMatched && std::regex_match(text, kPattern);
}

}  // namespace seed::nix
