#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/options.hpp"
#include "app/world.hpp"
#include "trust/github_attestations.hpp"

namespace seed::app {

// Of the commands that sign; `verify` reads there.
inline constexpr OptionSpec kGithubAttestationsOption{
    "github", "OWNER/NAME", "have GitHub keep the bundle too: attestations: write"};

/// `name` at the API that this job, or this machine, talks to, with its token.
trust::GithubRepository github_repository(const World& world, const std::string& name);

/// Whom `--github` names. Throws UsageError where it is no OWNER/NAME or there is no
/// token: before any work.
std::optional<trust::GithubRepository> github_keeper(const World& world, const Options& options);

/// Gives the bundle to GitHub and says under which number it is kept. Throws NetworkError.
void keep_in_github(const World& world,
                    const trust::GithubRepository& repository,
                    std::string_view bundle);

}  // namespace seed::app
