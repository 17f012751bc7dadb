#include <fmt/core.h>

#include "app/seed_branch.hpp"
#include "app/seed_self.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::app {
namespace {

/// seed.json as flake.lock names it: from the checkout's own repository, the repository in a folder
/// that the lock names, or the server.
std::string fetch_record(const World& world,
                         const GitPlace& place,
                         const Project& project,
                         const nix::SeedSelf& input) {
  constexpr std::string_view kFile = "file://";
  const Workspace scratch(usable_cache(world.environment));
  os::GitObjects objects(scratch.path() / "git");
  if (project.git) {
    objects.read_also(project.folder);
  }
  if (!objects.has(input.revision)) {
    if (input.url.starts_with(kFile)) {
      objects.read_also(input.url.substr(kFile.size()));
    } else {
      // GitLab redirects what lacks .git. The login is for the project's own server and no other.
      const std::string url = input.url + (input.type == "gitlab" ? ".git" : "");
      git::Remote remote(world.transport,
                         same_repository(url, place.page) ? place.url : url,
                         same_server(url, place.page) ? place.login : git::Login{});
      fetch_into(objects, remote, {.wants = {input.revision}, .filter = {}});
    }
  }
  auto text = record_text(objects, input.revision);
  if (!text) {
    throw FormatError(fmt::format("commit {} has no {}", input.revision, nix::kSeedRecordName));
  }
  if (nix::nar_hash_of_record(*text) != input.nar_hash) {
    throw IntegrityError(
        fmt::format("commit {} is not what flake.lock has the hash of", input.revision));
  }
  return std::move(*text);
}

SeedHint judge(const nix::SeedRecord& record, const Project& project, const std::string& system) {
  SeedHint hint{.manifest = std::nullopt, .image = record.image, .reason = {}};
  if (record.key.empty()) {
    hint.reason = "seed-self names no seed yet";
  } else if (record.key != project.key) {
    hint.reason = fmt::format(
        "seed-self names a seed for other inputs ({}, not {})", record.key, project.key);
  } else if (const auto found = record.systems.find(system); found != record.systems.end()) {
    hint.manifest = found->second;
  } else {
    hint.reason = fmt::format("seed-self names no seed for {}", system);
  }
  return hint;
}

}  // namespace

SeedHint hinted_seed(const World& world,
                     const GitPlace& place,
                     const Project& project,
                     const std::string& system) {
  SeedHint hint;
  try {
    const auto input = nix::find_seed_self(project.lock_text);
    if (!input || input->revision.empty()) {
      return hint;
    }
    return judge(
        nix::parse_seed_record(fetch_record(world, place, project, *input)), project, system);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    hint.reason = fmt::format("seed-self can't be read: {}", error.message());
    return hint;
  }
}

}  // namespace seed::app
