#include "app/lock_bump.hpp"

#include <algorithm>
#include <set>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

constexpr int kAttempts = 5;
constexpr std::uint64_t kMaxLockBytes = 16 << 20;

/// flake.lock as git names it.
std::string lock_path(const Project& project) {
  return (project.folder / "flake.lock")
      .lexically_relative(project.git->root)
      .lexically_normal()
      .generic_string();
}

/// Makes the commit, the trees above flake.lock and flake.lock itself readable.
void fetch_lock(os::GitObjects& objects,
                git::Remote& remote,
                const std::string& commit,
                const std::string& path) {
  const auto depth = 1 + std::ranges::count(path, '/');
  fetch_into(objects, remote, {.wants = {commit}, .filter = fmt::format("tree:{}", depth)});
  const auto entry = objects.find(objects.commit(commit).tree, path);
  if (entry && entry->is_file && !objects.has(entry->id)) {
    fetch_into(objects, remote, {.wants = {entry->id}, .shallow = false, .filter = {}});
  }
}

/// flake.lock at the head of a branch, or why it can't be moved.
struct LockAt {
  std::string text;
  std::string why_not;
};

LockAt lock_at(os::GitObjects& objects,
               git::Remote& remote,
               const LockBump& bump,
               const std::string& head) {
  const std::string path = lock_path(bump.project);
  const bool is_built = head == bump.project.git->commit;
  if (!is_built || !objects.has(head) || !objects.has(objects.commit(head).tree)) {
    fetch_lock(objects, remote, head, path);
  }
  const auto entry = objects.find(objects.commit(head).tree, path);
  if (!entry) {
    return {.text = {}, .why_not = fmt::format("{} is not in git", printable(path))};
  }
  if (!entry->is_file) {
    return {.text = {}, .why_not = fmt::format("{} is a link", printable(path))};
  }
  LockAt lock{.text = objects.blob(entry->id, kMaxLockBytes), .why_not = {}};
  if (is_built && lock.text != bump.project.lock_text) {
    lock.why_not = fmt::format(
        "{} of the checkout is not the committed one: commit it, or keep git from changing its "
        "line endings ('flake.lock -text' in .gitattributes)",
        printable(path));
  } else if (!is_built && nix::lock_key(nix::parse_flake_lock(lock.text)) != bump.project.key) {
    lock.why_not = fmt::format("{} has another flake.lock by now, whose own run records its seed",
                               printable(bump.branch));
  }
  return lock;
}

struct Attempt {
  Bumped result;
  bool again = false;
};

/// Whether the update branch is there already, as this run would make it, or is not ours to move.
std::optional<Bumped> judge_update(os::GitObjects& objects,
                                   git::Remote& remote,
                                   const std::string& branch,
                                   const std::string& tip,
                                   const std::string& tree,
                                   const std::string& head) {
  fetch_into(objects, remote, {.wants = {tip}, .filter = "tree:0"});
  const os::GitObjects::Commit there = objects.commit(tip);
  if (there.tree == tree && there.parents == std::vector{head}) {
    return Bumped{.branch = branch, .commit = tip, .reason = {}};
  }
  if (there.email != kCommitEmail) {
    return Bumped{.branch = branch,
                  .commit = {},
                  .reason = fmt::format("branch {} has a commit that is not nix-seed's: merge it "
                                        "or delete the branch",
                                        printable(branch))};
  }
  return std::nullopt;
}

Attempt try_once(os::GitObjects& objects,
                 git::Remote& remote,
                 const LockBump& bump,
                 std::set<std::string>& published,
                 Clock& clock) {
  const git::Advertisement seen = remote.refs();
  const auto head = seen.branch(bump.branch);
  const std::string target = bump.on_branch ? bump.branch : update_branch(bump.branch);
  Attempt attempt{.result = {.branch = target, .commit = {}, .reason = {}}};
  if (!head) {
    attempt.result.reason = fmt::format("there is no branch {}", printable(bump.branch));
    return attempt;
  }
  const LockAt lock = lock_at(objects, remote, bump, *head);
  if (!lock.why_not.empty()) {
    attempt.result.reason = lock.why_not;
    return attempt;
  }
  const std::string next = nix::with_seed_self(lock.text, bump.pin);
  if (next == lock.text) {
    return attempt;
  }
  const std::string blob = objects.add_blob(next);
  const std::vector<std::string> trees =
      objects.add_tree(objects.commit(*head).tree, lock_path(bump.project), blob);
  if (const auto tip = seen.branch(target); tip && !bump.on_branch) {
    if (auto judged = judge_update(objects, remote, target, *tip, trees.front(), *head)) {
      attempt.result = std::move(*judged);
      return attempt;
    }
  }
  // Whoever sees the commit finds its seed: the tag comes first.
  if (const std::string tag = nix::lock_tag(next); published.insert(tag).second) {
    bump.publish_alias(tag);
  }
  const std::string commit = objects.add_commit({.tree = trees.front(),
                                                 .parents = {*head},
                                                 .name = kCommitName,
                                                 .email = kCommitEmail,
                                                 .time = clock.now().time_since_epoch().count(),
                                                 .message = bump.message});
  std::vector<std::string> sent{commit, blob};
  sent.insert(sent.end(), trees.begin(), trees.end());
  attempt.again = !move_branch(remote, seen, target, commit, objects.pack(sent), bump.push_options);
  attempt.result.commit = commit;
  attempt.result.is_new = true;
  return attempt;
}

}  // namespace

std::string update_branch(const std::string& branch) {
  return "nix-seed-update/" + branch;
}

Bumped bump_lock(os::GitObjects& objects, git::Remote& remote, const LockBump& bump, Clock& clock) {
  std::set<std::string> published;
  for (int attempts = 0; attempts < kAttempts; ++attempts) {
    Attempt attempt = try_once(objects, remote, bump, published, clock);
    if (!attempt.again) {
      return std::move(attempt.result);
    }
  }
  throw NetworkError(
      fmt::format("branch {} of {} keeps moving", printable(bump.branch), remote.name()),
      "run again when the other jobs have ended");
}

}  // namespace seed::app
