#include "app/seed_self.hpp"

#include <fmt/core.h>

#include "app/lock_bump.hpp"
#include "app/pull_request.hpp"
#include "app/seed_branch.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "http/http.hpp"

namespace seed::app {
namespace {

using Status = SeedSelfResult::Status;

nix::SeedRecord record_of(const Project& project, const PublishedSeed& seed, Time now) {
  return {.key = project.key,
          .lock = project.tag,
          .rev = project.git->commit,
          .image = seed.image,
          .systems = {{seed.system, seed.manifest}},
          .built_at = now.time_since_epoch().count()};
}

/// Why flake.lock can't name a record of this project's; empty where it can.
std::string why_not_ours(const std::optional<nix::SeedSelf>& input, const GitPlace& place) {
  if (!input) {
    return fmt::format(
        "flake.lock has no input seed-self: add to flake.nix\n  {}\nthen run 'nix "
        "flake lock' and commit both files",
        nix::seed_self_declaration(place.page));
  }
  if (!same_repository(input->url, place.page)) {
    return fmt::format("flake.lock's seed-self is {}, which is not this project's repository {}",
                       http::redact_url(input->url),
                       http::redact_url(place.page));
  }
  if (input->ref != nix::kSeedBranch) {
    return fmt::format(
        "flake.lock's seed-self follows the branch '{}', not {}: change flake.nix to\n"
        "  {}",
        printable(input->ref),
        nix::kSeedBranch,
        nix::seed_self_declaration(place.page));
  }
  if (input->is_flake) {
    return "flake.lock's seed-self is taken as a flake, so each update would add its whole lock: "
           "add 'flake = false' to it in flake.nix";
  }
  return {};
}

/// Whether the seed that flake.lock names is this one.
bool is_named(os::GitObjects& objects,
              git::Remote& remote,
              const nix::SeedSelf& input,
              const nix::SeedRecord& seed) {
  if (input.revision.empty()) {
    return false;
  }
  try {
    if (!objects.has(input.revision)) {
      fetch_into(objects, remote, {.wants = {input.revision}, .filter = {}});
    }
    const auto text = record_text(objects, input.revision);
    return text && nix::nar_hash_of_record(*text) == input.nar_hash &&
           names_seed(nix::parse_seed_record(*text), seed);
  } catch (const FormatError&) {
    return false;
  } catch (const NetworkError& error) {
    // Refused: no such commit there. Whatever else is wrong, the next step meets as well.
    if (error.status() != 0) {
      throw;
    }
    return false;
  }
}

std::string subject_of(const Project& project, SeedSelf mode) {
  return fmt::format(
      "flake.lock: name seed {}{}", project.key, mode == SeedSelf::commit ? " [skip ci]" : "");
}

std::string text_of_change(const PublishedSeed& seed, const nix::Pin& pin) {
  return fmt::format("seed-self moves to {}, which names {}@{} for {}.",
                     short_id(pin.revision),
                     seed.image,
                     seed.manifest.to_string(),
                     seed.system);
}

/// GitLab opens the request while it takes the push (user/project/push_options).
std::vector<std::string> merge_request_options(const GitPlace& place,
                                               const std::string& title,
                                               const std::string& text) {
  return {"merge_request.create",
          "merge_request.target=" + place.branch,
          "merge_request.title=" + title,
          "merge_request.description=" + text,
          "merge_request.remove_source_branch"};
}

void propose(const World& world,
             const GitPlace& place,
             const std::string& head,
             const std::string& title,
             const std::string& text,
             SeedSelfResult& result) {
  if (place.merge_requests == MergeRequests::rest_api) {
    const OpenedPullRequest opened = open_pull_request(world.transport,
                                                       {.api = place.api,
                                                        .repository = place.repository,
                                                        .token = place.login.token,
                                                        .head = head,
                                                        .base = place.branch,
                                                        .title = title,
                                                        .body = text});
    result.url = opened.url;
  } else if (place.merge_requests == MergeRequests::none) {
    result.reason = fmt::format("this host opens no pull requests for us: open one from branch {}",
                                printable(head));
  }
}

void move_lock(const World& world,
               os::GitObjects& objects,
               git::Remote& remote,
               SeedSelf mode,
               const GitPlace& place,
               const Project& project,
               const PublishedSeed& seed,
               const nix::Pin& pin,
               SeedSelfResult& result) {
  const std::string title = subject_of(project, mode);
  const std::string text = text_of_change(seed, pin);
  LockBump bump{.project = project,
                .branch = place.branch,
                .pin = pin,
                .on_branch = mode == SeedSelf::commit,
                .message = title + "\n\n" + text,
                .push_options = {},
                .publish_alias = seed.publish_alias};
  if (mode == SeedSelf::pr && place.merge_requests == MergeRequests::push_options) {
    bump.push_options = merge_request_options(place, title, text);
  }
  const Bumped bumped = bump_lock(objects, remote, bump, world.clock);
  result.commit = bumped.commit;
  if (!bumped.reason.empty()) {
    result.status = Status::left;
    result.reason = bumped.reason;
  } else if (!bumped.commit.empty()) {
    result.status = mode == SeedSelf::commit ? Status::committed : Status::proposed;
    world.progress.step(fmt::format("flake.lock names the seed at {} on {}",
                                    short_id(bumped.commit),
                                    printable(bumped.branch)));
    if (mode == SeedSelf::pr) {
      propose(world, place, bumped.branch, title, text, result);
    }
  }
}

SeedSelfResult publish(const World& world,
                       SeedSelf mode,
                       const GitPlace& place,
                       const Project& project,
                       const PublishedSeed& seed) {
  SeedSelfResult result{
      .status = Status::unchanged, .record = {}, .commit = {}, .url = {}, .reason = {}};
  const Workspace scratch(usable_cache(world.environment));
  os::GitObjects objects(scratch.path() / "git");
  objects.read_also(project.folder);
  git::Remote remote(world.transport, place.url, place.login);
  const auto input = nix::find_seed_self(project.lock_text);
  const nix::SeedRecord record = record_of(project, seed, world.clock.now());

  std::string why_not = why_not_ours(input, place);
  if (why_not.empty() && mode != SeedSelf::ref && place.branch.empty()) {
    why_not = "this run builds no branch that flake.lock could be moved on";
  }
  // Without the input nobody reads the branch; but the input can't be locked before it is there.
  if (!why_not.empty() && (input || remote.refs().branch(nix::kSeedBranch))) {
    return {.status = Status::left, .record = {}, .commit = {}, .url = {}, .reason = why_not};
  }
  const bool may_move = why_not.empty() && mode != SeedSelf::ref;
  if (may_move && is_named(objects, remote, *input, record)) {
    result.record = input->revision;
    return result;
  }
  const Recorded recorded = while_doing("recording the seed", [&] {
    return record_seed(objects, remote, record, may_move && input->counts_revisions, world.clock);
  });
  result.record = recorded.pin.revision;
  if (recorded.is_new) {
    result.status = Status::recorded;
    world.progress.step(
        fmt::format("branch {} names the seed at {}", nix::kSeedBranch, short_id(result.record)));
  }
  if (may_move) {
    while_doing("moving seed-self in flake.lock", [&] {
      move_lock(world, objects, remote, mode, place, project, seed, recorded.pin, result);
    });
  } else {
    result.reason = why_not;
  }
  return result;
}

}  // namespace

SeedSelf seed_self_of(const Options& options) {
  const std::string word = options.get("seed-self").value_or("off");
  for (const auto& [name, mode] : {std::pair("off", SeedSelf::off),
                                   std::pair("ref", SeedSelf::ref),
                                   std::pair("commit", SeedSelf::commit),
                                   std::pair("pr", SeedSelf::pr)}) {
    if (word == name) {
      return mode;
    }
  }
  throw UsageError(fmt::format("--seed-self is '{}'", printable(word)),
                   "say off, ref, commit or pr");
}

void check_seed_self(const World& world,
                     SeedSelf mode,
                     const GitPlace& place,
                     const Project& project) {
  if (mode == SeedSelf::off) {
    return;
  }
  if (!project.git || project.git->commit.empty() || place.url.empty()) {
    throw UsageError("--seed-self needs a checkout of a git repository with a remote",
                     "run in such a checkout, or say --seed-self off");
  }
  if (mode != SeedSelf::ref && !place.branch.empty() && !git::is_branch_name(place.branch)) {
    throw UsageError(fmt::format("'{}' is no branch", printable(place.branch)));
  }
  git::Remote remote(world.transport, place.url, place.login);
  while_doing("checking that seed-self may push", [&] { remote.refs(); });
}

SeedSelfResult publish_seed_self(const World& world,
                                 SeedSelf mode,
                                 const GitPlace& place,
                                 const Project& project,
                                 const PublishedSeed& seed) {
  if (mode == SeedSelf::off) {
    return {};
  }
  try {
    return publish(world, mode, place, project, seed);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    return {.status = Status::left,
            .record = {},
            .commit = {},
            .url = {},
            .reason = error.hint().empty() ? error.message()
                                           : fmt::format("{}; {}", error.message(), error.hint())};
  }
}

}  // namespace seed::app
