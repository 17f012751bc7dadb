#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "os/fd.hpp"
#include "os/image_mount.hpp"
#include "os/invoker.hpp"
#include "os/process.hpp"
#include "os/served_files.hpp"

namespace seed::os {

/// A mount in a mount namespace that nobody else has: both go when these descriptors, and the
/// processes in it, have gone.
struct LentMount {
  Fd root;    ///< its root folder, to be read below /proc/self/fd
  Fd mounts;  ///< the namespace
};

/// Has root do, by sudo and without a password, what the kernel keeps from users. What root runs is
/// this program again, with its hidden command `lend`.
class Sudo {
 public:
  /// `runner` starts sudo, `self` is this program.
  Sudo(Runner& runner, std::filesystem::path self);

  /// Throws Error where views can't be made for this user that way either.
  void try_namespaces() const;

  /// Throws Error.
  ServedMount make_served_mount() const;

  /// Mounts on the folder `target` in a namespace of its own. The image's files must be given by
  /// paths that other processes can open. Throws Error.
  LentMount mount(const ImageMount& mount,
                  Backing backing,
                  const std::filesystem::path& target) const;

 private:
  std::array<Fd, 2> borrow(const std::vector<std::string>& arguments) const;

  Runner* runner_;
  std::filesystem::path self_;
};

/// Who has views made for them by `sudo` (null: nobody does); nobody where this process makes its
/// own. Throws Error where it may not and sudo does not either.
std::optional<Invoker> who_needs_sudo(const Sudo* sudo);

/// What stands before a command that root is to run.
std::vector<std::string> sudo_prefix();

/// The command `lend`: its exit status. Throws Error.
int lend(const std::vector<std::string>& arguments);

}  // namespace seed::os
