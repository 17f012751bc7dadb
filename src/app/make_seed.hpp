#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "app/gate.hpp"
#include "app/policy.hpp"
#include "app/project.hpp"
#include "app/publish_report.hpp"
#include "app/signing.hpp"
#include "nix/nix.hpp"
#include "report/record.hpp"

namespace seed::app {

/// One run of the command `seed`.
struct SeedJob {
  const World& world;
  const Options& options;
  Policy policy;
  Signing signing;
  Time started;
  Stopwatch stopwatch{world.journal, groups_of(world)};
  Project project;
  Gate gate;
  std::string system;
  OpenRepository open;
  std::optional<image::FoundSeed> previous;  ///< to plan layers against
  std::uint64_t reused_bytes = 0;            ///< of a seed that is used as it is

  oci::Repository& repository() const { return *open.repository; }
};

/// What is known of a run before any seed is.
report::SeedRecord record_of(const SeedJob& job, report::SeedStatus status);

/// With `job.previous` found: evaluates, packs while it proves that the seed is closed, pushes,
/// attests, and tags last of all.
report::SeedRecord make_seed(SeedJob& job,
                             nix::Nix& nix,
                             const std::string& fingerprint,
                             const std::filesystem::path& scratch);

}  // namespace seed::app
