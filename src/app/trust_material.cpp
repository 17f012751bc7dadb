#include "app/trust_material.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "os/file.hpp"
#include "sigstore/limits.hpp"

namespace seed::app {
namespace {

/// What is in the file that `--option` names, as `parse` reads it.
template <class Parse>
auto from_file(const World& world,
               std::string_view option,
               const std::string& name,
               std::uint64_t limit_bytes,
               Parse&& parse) {
  const auto file = world.directory / name;
  return while_doing(fmt::format("reading --{} {}", option, file.string()),
                     [&] { return parse(os::read_file(file, limit_bytes)); });
}

}  // namespace

sigstore::TrustedRoot trusted_root_for(const World& world, const Options& options) {
  if (const auto file = options.get("trusted-root")) {
    return from_file(
        world, "trusted-root", *file, sigstore::kMaxTrustedRootBytes, [](const std::string& text) {
          return sigstore::parse_trusted_roots(text);
        });
  }
  return sigstore::embedded_trusted_root();
}

sigstore::SigningConfig signing_config_for(const World& world, const Options& options) {
  if (const auto file = options.get("signing-config")) {
    return from_file(world,
                     "signing-config",
                     *file,
                     sigstore::kMaxSigningConfigBytes,
                     [](const std::string& text) { return sigstore::parse_signing_config(text); });
  }
  if (options.get("trusted-root")) {
    throw UsageError("--trusted-root says whom to believe, and nothing says where to sign",
                     "name the services with --signing-config FILE");
  }
  return sigstore::embedded_signing_config();
}

}  // namespace seed::app
