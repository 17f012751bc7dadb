#include "app/quorum_policy.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "http/http.hpp"
#include "nix/nix.hpp"
#include "nix/seed_cfg.hpp"
#include "os/file.hpp"

namespace seed::app {
namespace {

constexpr std::uint64_t kMaxPolicyBytes = 4 << 20;
constexpr std::int64_t kMaxSeconds = 30LL * 24 * 3600;

/// A change that someone proposes to the flake must not choose who is told the password.
void check_login(const os::Environment& environment, const trust::QuorumPolicy& policy) {
  if (!os::get(environment, "NIX_SEED_REGISTRY_PASSWORD") ||
      os::get(environment, "NIX_SEED_REGISTRY_HOST")) {
    return;
  }
  std::vector<std::string> named{policy.registry().value_or("")};
  for (const trust::KnownBuilder& builder : policy.builders()) {
    named.push_back(builder.cfg.registry);
  }
  for (const std::string& registry : named) {
    if (!registry.empty() && !registry.starts_with("oci:")) {
      throw UsageError(
          fmt::format("the registry {} is named by the flake, and the login by no host",
                      printable(registry)),
          "set NIX_SEED_REGISTRY_HOST to the host that may see the login, or give the policy with "
          "--policy");
    }
  }
}

}  // namespace

trust::AnyPolicy read_policy(const World& world, const std::string& name) {
  const auto file = world.directory / name;
  if (!std::filesystem::is_regular_file(file)) {
    throw UsageError(fmt::format("--policy: there is no file {}", printable(file.string())),
                     "docs/verify.md has the form of a policy file, docs/quorum.md that of a "
                     "quorum's");
  }
  return while_doing("reading --policy " + file.string(),
                     [&] { return trust::parse_any_policy(os::read_file(file, kMaxPolicyBytes)); });
}

trust::QuorumPolicy quorum_policy_of(const World& world, const Project& project) {
  nix::Nix nix(world.runner, world.progress, "nix");
  const auto cfg = nix::read_seed_cfg(nix, project.flake);
  if (!cfg) {
    throw UsageError("the flake has no seedCfg to say whose word counts",
                     "docs/quorum.md shows how to write one, or name a file with --policy");
  }
  return trust::QuorumPolicy::of(*cfg);
}

trust::QuorumPolicy quorum_policy_for(const World& world, const Options& options) {
  if (const auto name = options.get("policy")) {
    const auto file = world.directory / *name;
    return while_doing(fmt::format("reading --policy {}", file.string()), [&] {
      return trust::QuorumPolicy::parse(os::read_file(file, kMaxPolicyBytes));
    });
  }
  if (!std::filesystem::exists(world.directory / "flake.nix")) {
    throw UsageError(
        fmt::format("there is no flake in {} to say whose word counts", world.directory.string()),
        "name a file with --policy, or run in the flake's folder");
  }
  trust::QuorumPolicy policy = quorum_policy_of(world, find_project(world, {}));
  check_login(world.environment, policy);
  return policy;
}

std::chrono::seconds duration_of(std::string_view option, const std::string& text) {
  std::string digits = text;
  std::int64_t unit = 1;
  if (!digits.empty() && std::string_view("smh").find(digits.back()) != std::string_view::npos) {
    unit = digits.back() == 's' ? 1 : digits.back() == 'm' ? 60 : 3600;
    digits.pop_back();
  }
  const auto number = digits.size() > 9 ? std::nullopt : http::parse_size(digits);
  if (!number || static_cast<std::int64_t>(*number) * unit > kMaxSeconds) {
    throw UsageError(fmt::format("--{} is '{}'", option, printable(text)),
                     "write seconds, or a number with s, m or h, of 30 days at most: 30m");
  }
  return std::chrono::seconds(static_cast<std::int64_t>(*number) * unit);
}

std::vector<std::string> words_of(const Options& options, std::string_view option) {
  std::string text = options.get(option).value_or("");
  std::ranges::replace(text, ',', ' ');
  std::ranges::replace(text, '\n', ' ');
  std::vector<std::string> words;
  for (const std::string_view word : split(text, ' ')) {
    if (!trim(word).empty()) {
      words.emplace_back(trim(word));
    }
  }
  return words;
}

}  // namespace seed::app
