#include "app/registry.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/seed_cfg.hpp"
#include "oci/reference.hpp"
#include "os/file.hpp"

namespace seed::app {
namespace {

/// Written by hand; nixpkgs' own has 5 KiB.
constexpr std::uint64_t kMaxFlakeBytes = 4 << 20;
constexpr const char* kNameIt = "name the registry: --registry or NIX_SEED_REGISTRY";

}  // namespace

std::string registry_for(const World& world, const Options& options, const Project& project) {
  if (const auto given = options.get("registry")) {
    return *given;
  }
  nix::Nix nix(world.runner, world.progress, "nix");
  if (const auto own = registry_of_flake(nix, world.environment, project)) {
    return *own;
  }
  return default_registry(world.environment, project.name);
}

std::optional<std::string> registry_of_flake(nix::Nix& nix,
                                             const os::Environment& environment,
                                             const Project& project) {
  const auto file = project.folder / "flake.nix";
  if (!nix::mentions_seed_cfg(os::read_file(file, kMaxFlakeBytes))) {
    return std::nullopt;
  }
  if (!os::find_program(environment, nix.program().string())) {
    throw UsageError(
        fmt::format("{} has a seedCfg, and there is no Nix here to read it", file.string()),
        kNameIt);
  }
  const auto cfg = nix::read_seed_cfg(nix, project.flake);
  if (!cfg || !cfg->registry) {
    return std::nullopt;
  }
  const oci::Reference reference = while_doing("reading 'registry' of the flake's seedCfg", [&] {
    return oci::Reference::parse(*cfg->registry);
  });
  // A change that someone proposes to the flake must not choose who is told the password.
  if (!reference.is_layout() && os::get(environment, "NIX_SEED_REGISTRY_PASSWORD") &&
      !os::get(environment, "NIX_SEED_REGISTRY_HOST")) {
    throw UsageError(
        fmt::format("the registry {} is named by the flake, and the login by no host",
                    printable(*cfg->registry)),
        fmt::format("set NIX_SEED_REGISTRY_HOST to the host that may see the login, or {}",
                    kNameIt));
  }
  return cfg->registry;
}

}  // namespace seed::app
