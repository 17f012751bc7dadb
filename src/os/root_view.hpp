#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "os/invoker.hpp"

namespace seed::os {

namespace fs = std::filesystem;

struct Bind {
  fs::path from;
  fs::path to;  ///< absolute, as seen inside; made where it is absent
  bool writable = false;
};

enum class Network { none, host };

/// `kept`: the view's end waits until the disk has what was written in it, and with that all else
/// its file system has yet to write: the tars of a seed that has just come. `unsynced`: it does
/// not; once the machine has been started anew, `upper` begins anew too. `dropped`: kept in memory
/// where that works, and gone with the process.
enum class Writes { kept, unsynced, dropped };

/// A root folder that a process can be put into: read-only lower folders, what is written kept in
/// `upper`. Nothing of it outlives the process but `upper`, and where writes are dropped, not they.
struct RootView {
  fs::path lower;                       ///< becomes /
  std::optional<fs::path> store_lower;  ///< shown at /nix/store instead of what `lower` has there
  fs::path upper;                       ///< writes go to upper/root and upper/store; made if absent
  std::vector<Bind> binds;
  Network network = Network::none;
  Writes writes = Writes::kept;
  std::string directory = "/";  ///< working directory inside
  /// Root starts it, by sudo, for this user, who is the one inside.
  std::optional<Invoker> invoker;
  /// A mount namespace, by a path to it, in which the folders above are; ours where there is none.
  std::optional<fs::path> mounts;
};

/// `view` as arguments of the hidden `enter` command, and back. Throws UsageError.
std::vector<std::string> to_arguments(const RootView& view);
RootView root_view_from_arguments(const std::vector<std::string>& arguments);

/// Makes namespaces (mount, pid, ipc, network unless it is the host's; user where we are, or
/// become, somebody else than root), shows the view, runs `argv` in it with `environment` alone,
/// and returns its exit status (128 + signal; 125, with the reason on stderr, where the view could
/// not be shown). This process stays in the new namespaces: call it in one that does nothing else.
/// Throws Error where the kernel refuses the namespaces.
int run_in_view(const RootView& view,
                const std::vector<std::string>& argv,
                const std::vector<std::string>& environment);

/// Shows `lower` at `target`, with what is written kept below `upper`; both folders are made if
/// absent. Throws Error with the kernel's own words.
void mount_overlay(const fs::path& lower,
                   const fs::path& upper,
                   const fs::path& target,
                   Writes writes = Writes::kept);

/// Whether this process may make such namespaces; the reason where it may not.
std::optional<std::string> why_no_namespaces();

}  // namespace seed::os
