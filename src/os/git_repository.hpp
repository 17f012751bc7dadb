#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace seed::os {

struct GitState {
  std::filesystem::path root;  ///< the work tree, without a slash at the end
  std::string commit;          ///< 40 hex; empty before the first commit
  bool dirty = false;          ///< tracked files differ from the index or the index from HEAD
  std::string branch;          ///< short name; empty where HEAD is detached
  std::string remote_url;      ///< of origin, without user name and password; empty without one
};

/// What the repository that `inside` lies in is at. Nothing where there is none, or where it has no
/// work tree. Whoever owns it is accepted (CI checkouts often have another owner), and only its own
/// configuration counts, so that the answer is the same for every user and machine.
std::optional<GitState> inspect_git(const std::filesystem::path& inside);

/// Sets libgit2's options, which are the process's; once, however often it is called.
void initialise_git();

/// A remote URL without what stands before the host's @, where a token may be.
std::string without_userinfo(const std::string& url);

}  // namespace seed::os
