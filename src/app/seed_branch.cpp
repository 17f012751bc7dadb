#include "app/seed_branch.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::app {
namespace {

constexpr int kAttempts = 5;

std::string branch_ref(const std::string& branch) {
  return "refs/heads/" + branch;
}

std::string message_of(const nix::SeedRecord& seed) {
  const auto& [system, digest] = *seed.systems.begin();
  return fmt::format(
      "seed {} [skip ci]\n\n{}@{} for {}", seed.key, seed.image, digest.to_string(), system);
}

/// What the head's record becomes.
nix::SeedRecord merged(const std::optional<nix::SeedRecord>& head, nix::SeedRecord seed) {
  if (head && head->key == seed.key && head->image == seed.image) {
    seed.systems.insert(head->systems.begin(), head->systems.end());
  }
  return seed;
}

/// Whether the commit's tree is seed.json and nothing else, so that its hash is known.
bool is_plain(os::GitObjects& objects, const std::string& commit, const std::string& text) {
  return objects.add_tree("", nix::kSeedRecordName, objects.add_blob(text)).front() ==
         objects.commit(commit).tree;
}

Recorded pin_of(os::GitObjects& objects,
                git::Remote& remote,
                const std::string& commit,
                const std::string& text,
                bool count_revisions) {
  Recorded recorded{.pin = {.revision = commit,
                            .nar_hash = nix::nar_hash_of_record(text),
                            .last_modified = objects.commit(commit).time}};
  if (count_revisions) {
    fetch_into(objects, remote, {.wants = {commit}, .shallow = false, .filter = "tree:0"});
    recorded.pin.revision_count = objects.count_commits(commit);
  }
  return recorded;
}

/// Empty where another moved the branch meanwhile.
std::string push_record(os::GitObjects& objects,
                        git::Remote& remote,
                        const git::Advertisement& seen,
                        const nix::SeedRecord& seed,
                        const std::string& text,
                        Clock& clock) {
  const std::string blob = objects.add_blob(text);
  const std::string tree = objects.add_tree("", nix::kSeedRecordName, blob).front();
  const auto head = seen.branch(nix::kSeedBranch);
  const std::string commit =
      objects.add_commit({.tree = tree,
                          .parents = head ? std::vector{*head} : std::vector<std::string>{},
                          .name = kCommitName,
                          .email = kCommitEmail,
                          .time = clock.now().time_since_epoch().count(),
                          .message = message_of(seed)});
  const bool moved =
      move_branch(remote, seen, nix::kSeedBranch, commit, objects.pack({commit, tree, blob}));
  return moved ? commit : "";
}

}  // namespace

std::string short_id(const std::string& id) {
  return id.substr(0, 12);
}

void fetch_into(os::GitObjects& objects, git::Remote& remote, const git::FetchRequest& request) {
  std::unique_ptr<os::GitObjects::PackWriter> writer;
  remote.fetch(request, [&] {
    writer = std::make_unique<os::GitObjects::PackWriter>(objects);
    return Sink([&](ByteView chunk) { writer->write(chunk); });
  });
  writer->finish();
}

bool move_branch(git::Remote& remote,
                 const git::Advertisement& seen,
                 const std::string& branch,
                 const std::string& commit,
                 const std::string& pack,
                 const std::vector<std::string>& options) {
  const std::string before = seen.branch(branch).value_or(git::kNoCommit);
  const git::PushReport report = remote.push(
      {.name = branch_ref(branch), .before = before, .after = commit}, options, pack, seen);
  if (report.moved) {
    return true;
  }
  // A lost race and a push whose answer was lost look like a refusal.
  const std::string now = remote.refs().branch(branch).value_or(git::kNoCommit);
  if (now == commit) {
    return true;
  }
  if (now != before) {
    return false;
  }
  throw Error(
      fmt::format(
          "{} does not let branch {} move: {}", remote.name(), printable(branch), report.reason),
      "where the branch is protected, let the token's owner push to it, or say "
      "--seed-self pr or ref");
}

std::optional<std::string> record_text(const os::GitObjects& objects, const std::string& commit) {
  const auto entry = objects.find(objects.commit(commit).tree, nix::kSeedRecordName);
  if (!entry || !entry->is_file) {
    return std::nullopt;
  }
  return objects.blob(entry->id, nix::kMaxSeedRecordBytes);
}

bool names_seed(const nix::SeedRecord& record, const nix::SeedRecord& seed) {
  const auto& [system, digest] = *seed.systems.begin();
  const auto found = record.systems.find(system);
  return record.key == seed.key && record.image == seed.image && found != record.systems.end() &&
         found->second == digest;
}

Recorded record_seed(os::GitObjects& objects,
                     git::Remote& remote,
                     const nix::SeedRecord& seed,
                     bool count_revisions,
                     Clock& clock) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const git::Advertisement seen = remote.refs();
    const auto head = seen.branch(nix::kSeedBranch);
    std::optional<nix::SeedRecord> before;
    if (head) {
      fetch_into(objects, remote, {.wants = {*head}, .filter = {}});
      const auto text = record_text(objects, *head);
      if (!text) {
        throw Error(fmt::format("branch {} of {} has no {}: it is not ours to write",
                                nix::kSeedBranch,
                                remote.name(),
                                nix::kSeedRecordName),
                    "rename that branch");
      }
      before = while_doing("branch nix-seed", [&] { return nix::parse_seed_record(*text); });
      if (names_seed(*before, seed) && is_plain(objects, *head, *text)) {
        return pin_of(objects, remote, *head, *text, count_revisions);
      }
    }
    const std::string text = nix::print_seed_record(merged(before, seed));
    const std::string commit = push_record(objects, remote, seen, seed, text, clock);
    if (!commit.empty()) {
      Recorded recorded = pin_of(objects, remote, commit, text, count_revisions);
      recorded.is_new = true;
      return recorded;
    }
  }
  throw NetworkError(fmt::format("branch {} of {} keeps moving", nix::kSeedBranch, remote.name()),
                     "run again when the other jobs have ended");
}

}  // namespace seed::app
