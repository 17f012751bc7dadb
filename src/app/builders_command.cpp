#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "app/builder_sync.hpp"
#include "app/commands.hpp"
#include "app/project.hpp"
#include "app/publish_report.hpp"
#include "app/quorum_policy.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "os/git_repository.hpp"

namespace seed::app {
namespace {

constexpr std::array kOptions{
    kPolicyOption,
    OptionSpec{"branch", "NAME", "of repositories whose builder names none; default: main"},
    OptionSpec{"json", "", "print the result as JSON"},
};

std::string branch_of(const Options& options) {
  std::string branch = options.get("branch").value_or("main");
  if (!git::is_branch_name(branch)) {
    throw UsageError(fmt::format("--branch is '{}', which is no branch's name", printable(branch)),
                     "write for example: --branch main");
  }
  return branch;
}

/// The commit that is checked out: what is not committed goes nowhere.
std::string commit_of(const World& world) {
  const auto state = os::inspect_git(world.directory);
  if (!state || state->commit.empty()) {
    throw UsageError(
        fmt::format("{} is in no git repository with a commit", world.directory.string()),
        "run in a checkout of the source, with its whole history");
  }
  if (state->dirty) {
    world.progress.notice("what is not committed here is not pushed");
  }
  return state->commit;
}

/// Every builder's host is to have all of it.
void check_history(const os::GitObjects& objects, const std::string& commit) {
  try {
    objects.count_commits(commit);
  } catch (const Error& error) {
    throw UsageError(fmt::format("the history of {} is not all here: {}", commit, error.message()),
                     "git fetch --unshallow; in GitHub's checkout, fetch-depth: 0");
  }
}

trust::QuorumPolicy policy_of(const World& world, const Options& options) {
  const std::string& untrusted = facts_of(world).untrusted;
  if (!untrusted.empty()) {
    throw UsageError(fmt::format("this run must not push: {} (NS004)", untrusted),
                     "run on a trusted branch");
  }
  trust::QuorumPolicy policy = quorum_policy_for(world, options);
  if (!options.get("policy")) {
    for (const trust::KnownBuilder& builder : policy.builders()) {
      check_builder_host(world.environment, builder.name, builder.cfg);
    }
  }
  return policy;
}

std::vector<SyncedBuilder> sync(const World& world, const Options& options) {
  const trust::QuorumPolicy policy = policy_of(world, options);
  const std::string branch = branch_of(options);
  const std::string commit = commit_of(world);
  const os::TempDir scratch;
  os::GitObjects objects(scratch.path() / "objects");
  objects.read_also(world.directory);
  check_history(objects, commit);
  std::vector<SyncedBuilder> all;
  for (const trust::KnownBuilder& builder : policy.builders()) {
    if (!builder.cfg.repository.empty()) {
      world.progress.step(fmt::format("pushing {} to {}", commit, builder.cfg.repository));
    }
    all.push_back(sync_builder(
        world.transport, world.environment, objects, commit, branch, builder.name, builder.cfg));
  }
  return all;
}

std::string to_json(const std::vector<SyncedBuilder>& all) {
  nlohmann::json list = nlohmann::json::array();
  for (const SyncedBuilder& one : all) {
    list.push_back({{"builder", one.name},
                    {"repository", one.repository},
                    {"branch", one.branch},
                    {"status", to_string(one.status)},
                    {"why", one.why}});
  }
  return list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string to_text(const std::vector<SyncedBuilder>& all) {
  std::string text;
  for (const SyncedBuilder& one : all) {
    text += fmt::format("{:<8} {}  {}\n",
                        to_string(one.status),
                        one.name,
                        one.repository.empty() ? "the policy names no repository of it"
                                               : one.repository + " " + one.branch);
  }
  return text;
}

int run_builders(const World& world, const Options& options) {
  if (options.positional() != std::vector<std::string>{"sync"}) {
    throw UsageError("builders: say what to do with them", "nix-seed builders sync");
  }
  const std::vector<SyncedBuilder> all = sync(world, options);
  ExitCode code = ExitCode::done;
  for (const SyncedBuilder& one : all) {
    if (one.status == SyncStatus::failed) {
      tell(world,
           ci::Level::error,
           fmt::format("{}: {}{}", one.name, one.why, one.hint.empty() ? "" : "; " + one.hint));
      code = code == ExitCode::done ? one.code : code;
    }
  }
  print_result(world, options.flag("json") ? to_json(all) : to_text(all));
  return static_cast<int>(code);
}

}  // namespace

const Command kBuildersCommand{
    "builders",
    "sync",
    "give the builders' repositories the source",
    "sync: pushes the commit that is checked out here, with its history and so its workflow "
    "files,\n"
    "over https to the repository of each builder, to the branch that its identity names. "
    "Branches\n"
    "only move forward, and redirects are not followed. The token of builder NAME is in the\n"
    "variable NIX_SEED_NAME_GIT_TOKEN, the user where one is asked for in NIX_SEED_NAME_GIT_USER.",
    kOptions,
    run_builders,
    "nix-seed builders sync --policy quorum.json"};

}  // namespace seed::app
