#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "http/http.hpp"

// A client of The Update Framework (TUF 1.0.33 §5) that holds no more than a verifier needs: the
// four roles, targets of the top role, no delegations.
namespace seed::sigstore::tuf {

/// A repository of metadata and targets, and where what is known of it is kept.
struct Repository {
  std::string url;   ///< holds timestamp.json
  std::string root;  ///< the text of the root.json that everything starts from
  /// A folder of its own, whatever runs it is shared by. Empty: nothing is kept, and then nothing
  /// protects from a repository that goes back to what was valid before.
  std::filesystem::path cache;
};

/// A target for which an unbroken chain of signatures leads from Repository::root.
struct Found {
  std::string bytes;
  Time checked;  ///< when the repository was last asked
  Time expires;  ///< until when the metadata vouches for it: of four times the first
};

struct Known {
  std::optional<Found> found;  ///< expired or not: `expires` tells
  /// The cache has, or had, more than Repository::root says: who starts from that again goes back.
  bool anything = false;
};

/// What the cache alone knows. It is outside bytes like any other: all of it is verified again, and
/// what does not hold is as if it were not there. Opens no socket.
Known known_target(const Repository& repository, const std::string& path);

/// The target as the repository has it now, or as it had it at most `max_age` ago, if that has not
/// expired. Throws NetworkError where the repository can't be asked, or answers too slowly, Refused
/// where an answer breaks a rule, FormatError where it is no metadata at all; what was known stays.
/// One at a time: others wait, and then find it fresh. `on_fault`: whether a connection that fails
/// is tried again, or the caller has something to fall back to.
Found find_target(http::Transport& transport,
                  Clock& clock,
                  const Repository& repository,
                  const std::string& path,
                  std::chrono::seconds max_age,
                  http::OnFault on_fault = http::OnFault::retry);

}  // namespace seed::sigstore::tuf
