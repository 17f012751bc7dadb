#pragma once

#include "app/policy.hpp"
#include "app/project.hpp"
#include "app/seed_self.hpp"
#include "report/record.hpp"

namespace seed::app {

/// What --seed-self asks of this run, made ready before any work.
struct SeedSelfStep {
  SeedSelf mode = SeedSelf::off;
  GitPlace place;
};

/// Where the project is kept: the CI host's word, or else the checkout's own remote and branch.
GitPlace place_of(const World& world, const Project& project);

/// Reads the option and checks that the run may do what it asks. An untrusted run, and one that is
/// to push nothing, does nothing and says so.
SeedSelfStep prepare_seed_self(const World& world,
                               const Options& options,
                               const Policy& policy,
                               const Project& project);

/// Records the seed that `record` is about, where it is one for these inputs, and notes in it what
/// people should know.
void take_seed_self_step(const World& world,
                         const SeedSelfStep& step,
                         const Project& project,
                         oci::Repository& repository,
                         report::SeedRecord& record);

}  // namespace seed::app
