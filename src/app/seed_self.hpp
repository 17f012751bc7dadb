#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/git_place.hpp"
#include "app/options.hpp"
#include "app/project.hpp"
#include "app/world.hpp"

namespace seed::app {

/// What becomes of a seed in the project's own repository.
enum class SeedSelf {
  off,
  ref,     ///< seed.json on the branch nix-seed
  commit,  ///< and flake.lock names it, on the branch that was built
  pr,      ///< and a pull request lets flake.lock name it
};

/// The option --seed-self. Throws UsageError for a word that is no mode.
SeedSelf seed_self_of(const Options& options);

/// A seed that is in its registry, under its tags.
struct PublishedSeed {
  std::string image;  ///< repository, without tag or digest
  std::string system;
  Digest manifest;
  /// Names the seed, for all its systems, by one more lock tag.
  std::function<void(const std::string& tag)> publish_alias;
};

/// How a run left the repository.
struct SeedSelfResult {
  enum class Status {
    off,
    unchanged,  ///< all was said already
    recorded,   ///< seed.json is new
    committed,  ///< flake.lock names it
    proposed,   ///< a pull request does
    left,       ///< the seed could not be recorded; `reason` says why
  };

  Status status = Status::off;
  std::string record;  ///< commit of seed.json
  std::string commit;  ///< that moves flake.lock
  std::string url;     ///< of the pull request
  std::string reason;  ///< for people, with what to do
};

/// Refuses, before any work, what publish_seed_self() would refuse after it: no checkout, no https,
/// no right to push.
void check_seed_self(const World& world,
                     SeedSelf mode,
                     const GitPlace& place,
                     const Project& project);

/// Records the seed. Each step leaves registry and branches such that a run that ends there is
/// carried on by the next: seed.json, then the next lock's tag, then the lock. Neither the
/// checkout's files nor its repository are written to. What fails here takes no seed away from
/// anyone, so it is a result and no exception. Untrusted runs must not call it.
SeedSelfResult publish_seed_self(const World& world,
                                 SeedSelf mode,
                                 const GitPlace& place,
                                 const Project& project,
                                 const PublishedSeed& seed);

/// What flake.lock's seed-self says of the seed to use. A hint: the digest is for the caller to
/// verify, in the registry that it reads anyway.
struct SeedHint {
  std::optional<Digest> manifest;
  std::string image;   ///< repository in which the seed was put
  std::string reason;  ///< where there is no digest: why; empty where flake.lock has no seed-self
};

/// Never throws but when interrupted: whatever fails is a reason.
SeedHint hinted_seed(const World& world,
                     const GitPlace& place,
                     const Project& project,
                     const std::string& system);

}  // namespace seed::app
