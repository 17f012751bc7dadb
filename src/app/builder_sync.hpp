#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "git/remote.hpp"
#include "http/http.hpp"
#include "nix/seed_cfg.hpp"
#include "os/git_objects.hpp"
#include "os/process.hpp"

namespace seed::app {

/// What runs as a builder, by its identity: a file of its repository, on a branch.
struct BuilderJob {
  std::string file;    ///< .github/workflows/seed.yml
  std::string branch;  ///< empty: a tag, or another ref

  bool operator==(const BuilderJob&) const = default;
};

/// Nothing where the identity is none of a file in the builder's own repository.
std::optional<BuilderJob> job_of(const nix::SeedCfgBuilder& builder);

/// NIX_SEED_NAME_GIT_TOKEN and NIX_SEED_NAME_GIT_USER, so that one builder's token is shown to no
/// other's host; the name in capitals, with _ for -.
git::Login builder_login(const os::Environment& environment, const std::string& name);

/// Whose token goes where is not for a flake to say, which anyone can propose a change to: throws
/// UsageError where there is a token and NIX_SEED_NAME_GIT_HOST is not the repository's host.
void check_builder_host(const os::Environment& environment,
                        const std::string& name,
                        const nix::SeedCfgBuilder& builder);

enum class SyncStatus { made, moved, current, none, failed };

std::string_view to_string(SyncStatus status);

/// What became of one builder's repository.
struct SyncedBuilder {
  std::string name;
  std::string repository;  ///< empty, with `none`: the policy names none
  std::string branch;
  SyncStatus status = SyncStatus::none;
  std::string why;   ///< it failed
  std::string hint;  ///< what to do then
  ExitCode code = ExitCode::done;
};

/// Pushes `commit` with its history to the builder's repository, to the branch that its identity
/// names, or to `branch`. Branches only move forward. What the builder's host refuses, or this
/// finds wrong, is in the result; throws Interrupted.
SyncedBuilder sync_builder(http::Transport& transport,
                           const os::Environment& environment,
                           const os::GitObjects& objects,
                           const std::string& commit,
                           const std::string& branch,
                           const std::string& name,
                           const nix::SeedCfgBuilder& builder);

}  // namespace seed::app
