#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace seed::nix {

/// One option of seedCfg, as lib/seed-cfg-options.nix has it.
struct CfgOption {
  std::string_view name;
  std::string_view is;  ///< what a value is, in words
  bool (*test)(const nlohmann::json& value);
  std::string_view example;
  bool nullable = true;
};

std::span<const CfgOption> seed_cfg_options();
std::span<const CfgOption> builder_options();
std::span<const CfgOption> rekor_options();

const CfgOption& find_option(std::span<const CfgOption> options, std::string_view name);

/// A value in one line, as `show` of lib/check.nix prints it.
std::string show(const nlohmann::json& value);

/// Throws FormatError: 'AT' is VALUE, which is not IS; write for example: EXAMPLE.
[[noreturn]] void refuse_value(const std::string& at,
                               const nlohmann::json& value,
                               std::string_view is,
                               std::string_view example);

/// Throws FormatError for an option that there is none of, and for a value of another type.
void check_options(const std::string& prefix,
                   std::span<const CfgOption> options,
                   const nlohmann::json& given);

/// Whether `text` is a builder's name.
bool is_builder_name(const std::string& text);

}  // namespace seed::nix
