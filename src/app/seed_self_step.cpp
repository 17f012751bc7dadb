#include "app/seed_self_step.hpp"

#include <fmt/core.h>

#include "app/attest.hpp"
#include "app/publish_report.hpp"
#include "base/error.hpp"
#include "image/publish.hpp"
#include "image/rootfs.hpp"
#include "image/tags.hpp"

namespace seed::app {
namespace {

/// Names by `tag` what the key names, for every system.
void publish_alias(oci::Repository& repository, const Project& project, const std::string& tag) {
  for (const std::string& system : image::known_systems()) {
    const auto found = image::find_seed(repository, project.key, system);
    const auto raw = found ? repository.get_manifest(found->manifest.digest) : std::nullopt;
    if (!raw) {
      continue;
    }
    const image::Image image{.config = {},
                             .manifest = raw->bytes,
                             .parsed = found->parsed,
                             .descriptor = image::describe_seed(found->manifest, system)};
    image::write_tags(repository, image, system, {tag}, source_of(project));
  }
}

}  // namespace

GitPlace place_of(const World& world, const Project& project) {
  const ci::Facts& facts = facts_of(world);
  if (!facts.repository_url.empty()) {
    // A name alone may be that of a merge request's source.
    const bool is_branch = facts.ref.starts_with("refs/heads/");
    return git_place(world.environment, facts.repository_url, is_branch ? facts.ref : "");
  }
  return project.git ? git_place(world.environment, project.git->remote_url, project.git->branch)
                     : GitPlace{};
}

SeedSelfStep prepare_seed_self(const World& world,
                               const Options& options,
                               const Policy& policy,
                               const Project& project) {
  SeedSelfStep step{.mode = seed_self_of(options), .place = {}};
  if (step.mode == SeedSelf::off) {
    return step;
  }
  if (!policy.may_push()) {
    tell(world,
         ci::Level::notice,
         fmt::format("--seed-self does nothing in this run: {}",
                     policy.untrusted.empty() ? "--push is never" : policy.untrusted));
    step.mode = SeedSelf::off;
    return step;
  }
  step.place = place_of(world, project);
  check_seed_self(world, step.mode, step.place, project);
  return step;
}

void take_seed_self_step(const World& world,
                         const SeedSelfStep& step,
                         const Project& project,
                         oci::Repository& repository,
                         report::SeedRecord& record) {
  using report::SeedStatus;
  const bool fits = record.status != SeedStatus::stale && record.status != SeedStatus::missing;
  if (step.mode == SeedSelf::off || !fits || !record.manifest) {
    return;
  }
  const SeedSelfResult result = publish_seed_self(
      world,
      step.mode,
      step.place,
      project,
      {.image = record.repository,
       .system = record.system,
       .manifest = *record.manifest,
       .publish_alias = [&](const std::string& tag) { publish_alias(repository, project, tag); }});
  if (!result.reason.empty()) {
    record.notices.push_back("seed-self: " + result.reason);
    const bool left = result.status == SeedSelfResult::Status::left;
    tell(world, left ? ci::Level::warning : ci::Level::notice, record.notices.back());
  }
  if (!result.url.empty()) {
    record.notices.push_back("seed-self: merge " + result.url);
  }
}

}  // namespace seed::app
