#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "app/options.hpp"
#include "app/project.hpp"
#include "app/world.hpp"
#include "trust/quorum_verdict.hpp"

namespace seed::app {

/// Options of every command that counts builders.
inline constexpr OptionSpec kPolicyOption{
    "policy", "FILE", "whose word counts: JSON of a seedCfg; default: the flake's own"};

/// What `--policy` of verify, build and seed may name in place of a file: the flake's seedCfg.
inline constexpr std::string_view kFlakePolicy = "flake";

/// The file that `--policy` names, of either kind. Throws UsageError or FormatError naming it.
trust::AnyPolicy read_policy(const World& world, const std::string& name);

/// The seedCfg of a flake, which this machine's Nix is asked for. Throws UsageError where there is
/// none.
trust::QuorumPolicy quorum_policy_of(const World& world, const Project& project);

/// The file that `--policy` names, or the seedCfg of the flake in the working directory. Throws
/// UsageError where there is neither, and where a login would go to whatever host a flake names.
trust::QuorumPolicy quorum_policy_for(const World& world, const Options& options);

/// "90s", "30m", "2h", or seconds. Throws UsageError naming the option.
std::chrono::seconds duration_of(std::string_view option, const std::string& text);

/// The words of an option that takes several, separated by blanks or commas.
std::vector<std::string> words_of(const Options& options, std::string_view option);

}  // namespace seed::app
