#include "app/builder_sync.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/text.hpp"

namespace seed::app {
namespace {

/// All of a push is in memory at once.
constexpr std::uint64_t kMaxHistoryBytes = 512 << 20;

std::string variable(const std::string& name, std::string_view what) {
  std::string upper = name;
  std::ranges::transform(upper, upper.begin(), [](char c) {
    return c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return fmt::format("NIX_SEED_{}_GIT_{}", upper, what);
}

/// GitLab redirects what lacks .git, and redirects are not followed; Azure's and AWS's addresses
/// never have it.
std::string push_url(const std::string& repository) {
  const bool whole = repository.ends_with(".git") ||
                     repository.find("/_git/") != std::string::npos ||
                     repository.find("/v1/repos/") != std::string::npos;
  return whole ? repository : repository + ".git";
}

/// What the builder's certificates are to name has to be there, or it never says a word.
void check_job(const os::GitObjects& objects,
               const std::string& commit,
               const std::optional<BuilderJob>& job) {
  if (!job || objects.find(objects.commit(commit).tree, job->file)) {
    return;
  }
  throw UsageError(
      fmt::format("the commit has no {}, which the builder's identity names", printable(job->file)),
      "commit it in the source, so that all builders have one commit: docs/builders.md");
}

void check_forward(const os::GitObjects& objects,
                   const std::string& commit,
                   const std::string& before,
                   const std::string& branch) {
  if (!before.empty() && (!objects.has(before) || !objects.is_ancestor(before, commit))) {
    throw Error(fmt::format("its branch {} is at {}, which is not in the history of {}",
                            printable(branch),
                            before,
                            commit),
                "look at what is there: it is somebody's work, or somebody's attack; then move the "
                "branch by hand",
                ExitCode::refused);
  }
}

SyncStatus push(git::Remote remote,
                const os::GitObjects& objects,
                const std::string& commit,
                const std::string& branch) {
  const git::Advertisement refs = remote.refs();
  const std::string before = refs.branch(branch).value_or("");
  if (before == commit) {
    return SyncStatus::current;
  }
  check_forward(objects, commit, before, branch);
  const git::PushReport report = remote.push({.name = "refs/heads/" + branch,
                                              .before = before.empty() ? git::kNoCommit : before,
                                              .after = commit},
                                             {},
                                             objects.pack_history(commit, before, kMaxHistoryBytes),
                                             refs);
  if (!report.moved) {
    throw NetworkError(fmt::format("the server refuses the push: {}", printable(report.reason)),
                       "the token needs the right to push to this branch, and on GitHub also to "
                       "change workflows");
  }
  return before.empty() ? SyncStatus::made : SyncStatus::moved;
}

}  // namespace

std::optional<BuilderJob> job_of(const nix::SeedCfgBuilder& builder) {
  const std::size_t at = builder.identity.rfind("@refs/");
  if (builder.repository.empty() || at == std::string::npos ||
      !builder.identity.starts_with(builder.repository + "/")) {
    return std::nullopt;
  }
  // GitLab has two slashes between a project and a file of it.
  std::size_t start = builder.repository.size();
  while (start < at && builder.identity[start] == '/') {
    ++start;
  }
  constexpr std::string_view kBranches = "refs/heads/";
  const std::string ref = builder.identity.substr(at + 1);
  BuilderJob job{.file = builder.identity.substr(start, at - start), .branch = {}};
  if (ref.starts_with(kBranches)) {
    job.branch = ref.substr(kBranches.size());
  }
  return job.file.empty() ? std::nullopt : std::optional(job);
}

git::Login builder_login(const os::Environment& environment, const std::string& name) {
  return {.user = os::get(environment, variable(name, "USER")).value_or("x-access-token"),
          .token = os::get(environment, variable(name, "TOKEN")).value_or("")};
}

void check_builder_host(const os::Environment& environment,
                        const std::string& name,
                        const nix::SeedCfgBuilder& builder) {
  if (builder.repository.empty() || builder_login(environment, name).token.empty()) {
    return;
  }
  const std::string host = http::Url::parse(builder.repository).host;
  if (os::get(environment, variable(name, "HOST")) != host) {
    throw UsageError(
        fmt::format("the flake names the host {} for the token in {}, and {} does not",
                    printable(host),
                    variable(name, "TOKEN"),
                    variable(name, "HOST")),
        fmt::format("set {} to the host that may see the token, or give the policy with --policy",
                    variable(name, "HOST")));
  }
}

std::string_view to_string(SyncStatus status) {
  constexpr std::array<std::string_view, 5> kNames{"made", "moved", "current", "none", "failed"};
  return kNames.at(static_cast<std::size_t>(status));
}

SyncedBuilder sync_builder(http::Transport& transport,
                           const os::Environment& environment,
                           const os::GitObjects& objects,
                           const std::string& commit,
                           const std::string& branch,
                           const std::string& name,
                           const nix::SeedCfgBuilder& builder) {
  const std::optional<BuilderJob> job = job_of(builder);
  SyncedBuilder synced{.name = name,
                       .repository = builder.repository,
                       .branch = job && !job->branch.empty() ? job->branch : branch};
  if (builder.repository.empty()) {
    return synced;
  }
  const git::Login login = builder_login(environment, name);
  try {
    check_job(objects, commit, job);
    synced.status = push(git::Remote(transport, push_url(builder.repository), login),
                         objects,
                         commit,
                         synced.branch);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    synced.status = SyncStatus::failed;
    synced.why = error.message();
    synced.hint = login.token.empty()
                      ? fmt::format("set {} to a token that may push", variable(name, "TOKEN"))
                      : error.hint();
    synced.code = error.code();
  }
  return synced;
}

}  // namespace seed::app
