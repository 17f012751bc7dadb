#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "app/project.hpp"
#include "app/seed_branch.hpp"

namespace seed::app {

/// A branch whose flake.lock is to name a seed.
struct LockBump {
  const Project& project;
  std::string branch;      ///< that was built
  nix::Pin pin;            ///< what flake.lock is to name
  bool on_branch = false;  ///< commit there, else on a branch made for a pull request
  std::string message;
  std::vector<std::string> push_options;
  std::function<void(const std::string& tag)> publish_alias;
};

struct Bumped {
  std::string branch;  ///< where it is
  std::string commit;  ///< empty: nothing had to be done, or could be
  bool is_new = false;
  std::string reason;  ///< why nothing could be done
};

/// The branch of the pull request for `branch`. Not below nix-seed/: git keeps refs as files, and
/// nix-seed is one.
std::string update_branch(const std::string& branch);

/// Commits flake.lock with seed-self moved on top of the branch: on the commit that was built where
/// the branch is still there, else on its new head where the lock has the same key. The tag of the
/// new lock is published first.
Bumped bump_lock(os::GitObjects& objects, git::Remote& remote, const LockBump& bump, Clock& clock);

}  // namespace seed::app
