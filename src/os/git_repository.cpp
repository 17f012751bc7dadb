#include "os/git_repository.hpp"

#include <algorithm>
#include <mutex>

#include <fmt/core.h>
#include <git2.h>

#include "base/error.hpp"
#include "base/handle.hpp"

namespace seed::os {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& where) {
  const git_error* error = git_error_last();
  throw Error(fmt::format("git repository {}: {}",
                          where.string(),
                          error != nullptr ? error->message : "unknown failure"),
              "'git status' there may say more");
}

void read_head(git_repository* repository, GitState& state) {
  git_reference* raw = nullptr;
  const int result = git_repository_head(&raw, repository);
  const Handle<git_reference, git_reference_free> head{raw};
  if (result == GIT_EUNBORNBRANCH || result == GIT_ENOTFOUND) {
    return;
  }
  if (result != 0) {
    fail(state.root);
  }
  git_object* raw_commit = nullptr;
  if (git_reference_peel(&raw_commit, head.get(), GIT_OBJECT_COMMIT) != 0) {
    fail(state.root);
  }
  const Handle<git_object, git_object_free> commit{raw_commit};
  std::string hex(GIT_OID_HEXSZ, '0');
  git_oid_fmt(hex.data(), git_object_id(commit.get()));
  state.commit = hex;
  if (git_reference_is_branch(head.get()) == 1) {
    state.branch = git_reference_shorthand(head.get());
  }
}

bool is_dirty(git_repository* repository, const fs::path& root) {
  git_status_options options;
  git_status_options_init(&options, GIT_STATUS_OPTIONS_VERSION);
  options.show = GIT_STATUS_SHOW_INDEX_AND_WORKDIR;
  options.flags = GIT_STATUS_OPT_EXCLUDE_SUBMODULES;
  git_status_list* raw = nullptr;
  if (git_status_list_new(&raw, repository, &options) != 0) {
    fail(root);
  }
  const Handle<git_status_list, git_status_list_free> list{raw};
  return git_status_list_entrycount(list.get()) != 0;
}

std::string origin_url(git_repository* repository) {
  git_remote* raw = nullptr;
  const int result = git_remote_lookup(&raw, repository, "origin");
  const Handle<git_remote, git_remote_free> remote{raw};
  const char* url = result == 0 ? git_remote_url(remote.get()) : nullptr;
  return url == nullptr ? std::string() : without_userinfo(url);
}

}  // namespace

void initialise_git() {
  static std::once_flag once;
  std::call_once(once, [] {
    git_libgit2_init();
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
    for (const git_config_level_t level : {GIT_CONFIG_LEVEL_PROGRAMDATA,
                                           GIT_CONFIG_LEVEL_SYSTEM,
                                           GIT_CONFIG_LEVEL_XDG,
                                           GIT_CONFIG_LEVEL_GLOBAL}) {
      git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
  });
}

std::optional<GitState> inspect_git(const fs::path& inside) {
  initialise_git();
  git_repository* raw = nullptr;
  const int result =
      git_repository_open_ext(&raw, inside.c_str(), GIT_REPOSITORY_OPEN_CROSS_FS, nullptr);
  const Handle<git_repository, git_repository_free> repository{raw};
  if (result == GIT_ENOTFOUND) {
    return std::nullopt;
  }
  if (result != 0) {
    fail(inside);
  }
  const char* root = git_repository_workdir(repository.get());
  if (root == nullptr) {
    return std::nullopt;
  }
  GitState state;
  state.root = fs::path(root).parent_path();  // libgit2 ends it with a slash
  read_head(repository.get(), state);
  state.dirty = is_dirty(repository.get(), state.root);
  state.remote_url = origin_url(repository.get());
  return state;
}

std::string without_userinfo(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) {
    return url;  // git@host:path names an account that is no secret, or it is a file
  }
  const std::size_t start = scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", start), url.size());
  const std::size_t at = url.substr(0, end).rfind('@');
  return at == std::string::npos || at < start ? url : url.substr(0, start) + url.substr(at + 1);
}

}  // namespace seed::os
