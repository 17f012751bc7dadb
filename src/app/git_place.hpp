#pragma once

#include <string>

#include "git/remote.hpp"
#include "os/process.hpp"

namespace seed::app {

/// How the host takes a request to merge a branch.
enum class MergeRequests { none, rest_api, push_options };

/// Where the project's repository is, what of it this run builds, and who we are there.
struct GitPlace {
  std::string url;     ///< for fetch and push; empty: not known
  std::string page;    ///< the same for people and for flake.nix
  std::string branch;  ///< that this run builds; empty: a tag, a merge of a pull request, none
  git::Login login;
  MergeRequests merge_requests = MergeRequests::none;
  std::string api;         ///< of the host: https://api.github.com
  std::string repository;  ///< owner/name, as the API names it
};

/// `page` is the repository's URL (the host's word, or the checkout's origin), `ref` what was
/// built: refs/heads/... or a branch's name. The host's token is taken only for the host's own
/// server, as the host's variables name it; NIX_SEED_GIT_TOKEN wins.
GitPlace git_place(const os::Environment& environment,
                   const std::string& page,
                   const std::string& ref);

/// Whether a login for one URL may be used for the other.
bool same_server(const std::string& a, const std::string& b);

/// Whether two URLs lead to one repository: case and a .git at the end say nothing.
bool same_repository(std::string a, std::string b);

}  // namespace seed::app
