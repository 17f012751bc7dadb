#include "app/trust_material.hpp"

#include <fmt/core.h>

#include "app/project.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "sigstore/embedded.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/rfc3339.hpp"
#include "sigstore/tuf.hpp"
#include "sigstore/tuf_rules.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;
namespace tuf = sigstore::tuf;

constexpr const char* kPublicMirror = "https://tuf-repo-cdn.sigstore.dev";
constexpr const char* kMirrorVariable = "NIX_SEED_TUF_MIRROR";
constexpr const char* kRootVariable = "NIX_SEED_TUF_ROOT";
constexpr const char* kNameAFile =
    "let this machine reach it, or name whom to believe with --trusted-root FILE";
constexpr std::chrono::hours kMaxAge{24};

/// A TUF repository, and the targets of it that this program was built with, if any.
struct Origin {
  tuf::Repository repository;
  bool built_in = false;
};

/// A folder below the cache; none where the cache can't be written.
fs::path folder_for(const World& world, const std::string& url) {
  try {
    return usable_cache(world.environment) / "tuf" /
           fmt::format("{}-{}", http::Url::parse(url).host, Digest::of(url).hex().substr(0, 16));
  } catch (const UsageError&) {
    return {};
  }
}

}  // namespace

std::optional<tuf::Repository> own_tuf_repository(const World& world) {
  const auto mirror = os::get(world.environment, kMirrorVariable);
  const auto root = os::get(world.environment, kRootVariable);
  if (mirror.has_value() != root.has_value()) {
    throw UsageError(fmt::format("{} is set, and {} is not",
                                 mirror ? kMirrorVariable : kRootVariable,
                                 mirror ? kRootVariable : kMirrorVariable),
                     "a TUF repository is a URL, and the root.json that its answers are held to");
  }
  if (!mirror) {
    return std::nullopt;
  }
  return while_doing(fmt::format("reading {} and {}", kMirrorVariable, kRootVariable), [&] {
    http::Url::parse(*mirror);
    return tuf::Repository{
        .url = *mirror,
        .root = os::read_file(world.directory / *root, sigstore::kMaxTufRootBytes),
        .cache = folder_for(world, *mirror)};
  });
}

namespace {

Origin origin_of(const World& world) {
  if (auto own = own_tuf_repository(world)) {
    return {.repository = std::move(*own)};
  }
  return {.repository = {.url = kPublicMirror,
                         .root = std::string(sigstore::embedded::kRoot),
                         .cache = folder_for(world, kPublicMirror)},
          .built_in = true};
}

/// What to use of a target where the repository can't be asked; rethrows where nothing may serve.
std::string fall_back(const World& world,
                      const Origin& origin,
                      const std::string& path,
                      std::string_view built_in,
                      const NetworkError& error) {
  const Time now = world.clock.now();
  const tuf::Known known = tuf::known_target(origin.repository, path);
  const auto notice = [&](std::string_view what, Time until) {
    world.progress.notice(
        fmt::format("{}; {} serves, until {}", error.message(), what, sigstore::to_rfc3339(until)));
  };
  if (known.found && now < known.found->expires) {
    notice("what it said at " + sigstore::to_rfc3339(known.found->checked), known.found->expires);
    return known.found->bytes;
  }
  // Who has seen more than we were built with must not be made to forget it by cutting a wire.
  if (origin.built_in && !known.anything) {
    const Time expires = tuf::parse_root(origin.repository.root).file.expires;
    if (now < expires) {
      notice("what this program was built with", expires);
      return std::string(built_in);
    }
  }
  const std::string why =
      known.found
          ? "what it said before has expired at " + sigstore::to_rfc3339(known.found->expires)
      : origin.built_in && !known.anything ? "what this program was built with has expired"
                                           : "nothing that it said before may serve";
  throw NetworkError(
      fmt::format("{}; {}", error.message(), why), kNameAFile, error.status(), error.retryable());
}

std::string target_of(const World& world, const std::string& path, std::string_view built_in) {
  const Origin origin = origin_of(world);
  const http::OnFault on_fault = origin.built_in ? http::OnFault::pass_on : http::OnFault::retry;
  try {
    return tuf::find_target(
               world.transport, world.clock, origin.repository, path, kMaxAge, on_fault)
        .bytes;
  } catch (const NetworkError& error) {
    return fall_back(world, origin, path, built_in, error);
  }
}

/// What is in the file that `--option` names.
std::string file_of(const World& world, const std::string& name, std::uint64_t limit_bytes) {
  return os::read_file(world.directory / name, limit_bytes);
}

}  // namespace

sigstore::TrustedRoot trusted_root_for(const World& world, const Options& options) {
  if (const auto file = options.get("trusted-root")) {
    return while_doing("reading --trusted-root " + *file, [&] {
      return sigstore::parse_trusted_roots(file_of(world, *file, sigstore::kMaxTrustedRootBytes));
    });
  }
  return sigstore::parse_trusted_root(
      target_of(world, "trusted_root.json", sigstore::embedded::kTrustedRoot));
}

sigstore::SigningConfig signing_config_for(const World& world, const Options& options) {
  if (const auto file = options.get("signing-config")) {
    return while_doing("reading --signing-config " + *file, [&] {
      return sigstore::parse_signing_config(
          file_of(world, *file, sigstore::kMaxSigningConfigBytes));
    });
  }
  if (options.get("trusted-root")) {
    throw UsageError("--trusted-root says whom to believe, and nothing says where to sign",
                     "name the services with --signing-config FILE");
  }
  return sigstore::parse_signing_config(
      target_of(world, "signing_config.v0.2.json", sigstore::embedded::kSigningConfig));
}

}  // namespace seed::app
