#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "git/remote.hpp"
#include "nix/seed_record.hpp"
#include "nix/seed_self.hpp"
#include "os/git_objects.hpp"

namespace seed::app {

/// Who commits: nobody that a host knows.
inline constexpr const char* kCommitName = "nix-seed";
inline constexpr const char* kCommitEmail = "noreply@nix-seed.invalid";

/// The first digits of a commit, for messages.
std::string short_id(const std::string& id);

/// Fetches what `request` wants from `remote` into `objects`.
void fetch_into(os::GitObjects& objects, git::Remote& remote, const git::FetchRequest& request);

/// Moves a branch by compare and swap. Returns false where another moved it meanwhile; throws Error
/// with the server's words where it refuses.
bool move_branch(git::Remote& remote,
                 const git::Advertisement& seen,
                 const std::string& branch,
                 const std::string& commit,
                 const std::string& pack,
                 const std::vector<std::string>& options = {});

/// seed.json of a commit; nothing where the commit has none. Throws FormatError.
std::optional<std::string> record_text(const os::GitObjects& objects, const std::string& commit);

/// Whether the record says that this is the seed.
bool names_seed(const nix::SeedRecord& record, const nix::SeedRecord& seed);

struct Recorded {
  nix::Pin pin;
  bool is_new = false;
};

/// A commit of the branch nix-seed that names `seed`, for its one system: its head where that does
/// so already, else a new one on top, which keeps what the head says of other systems under the
/// same key.
Recorded record_seed(os::GitObjects& objects,
                     git::Remote& remote,
                     const nix::SeedRecord& seed,
                     bool count_revisions,
                     Clock& clock);

}  // namespace seed::app
