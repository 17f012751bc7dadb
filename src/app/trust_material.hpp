#pragma once

#include <optional>

#include "app/options.hpp"
#include "app/world.hpp"
#include "sigstore/signing_config.hpp"
#include "sigstore/trusted_root.hpp"
#include "sigstore/tuf.hpp"

namespace seed::app {

/// Options of every command that looks at signatures.
inline constexpr OptionSpec kTrustedRootOption{
    "trusted-root", "FILE", "whom to believe: a trusted_root.json (or JSON Lines); no network"};

/// And of those that sign.
inline constexpr OptionSpec kSigningConfigOption{
    "signing-config", "FILE", "where to sign: a signing_config.v0.2.json"};

/// What NIX_SEED_TUF_MIRROR and NIX_SEED_TUF_ROOT name, if they are set. Throws UsageError where
/// only one of them is.
std::optional<sigstore::tuf::Repository> own_tuf_repository(const World& world);

/// Whom this run believes: the file that `--trusted-root` names, and then no socket is opened; or
/// what the TUF repository says, Sigstore's public one unless NIX_SEED_TUF_MIRROR and
/// NIX_SEED_TUF_ROOT name another. That is asked at most once a day. Where it can't be reached the
/// last answer serves until it expires, or where there never was one, what this program was built
/// with, and a notice says so. Throws UsageError or FormatError naming the file, NetworkError where
/// nothing may serve, tuf::Refused where the repository breaks a rule.
sigstore::TrustedRoot trusted_root_for(const World& world, const Options& options);

/// Where this run signs: the file that `--signing-config` names, or what the TUF repository says,
/// as above. Throws UsageError where `--trusted-root` is given alone: what the public services
/// sign, a private root does not believe.
sigstore::SigningConfig signing_config_for(const World& world, const Options& options);

}  // namespace seed::app
