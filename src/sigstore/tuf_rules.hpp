#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "sigstore/tuf_metadata.hpp"

// What a client of The Update Framework does with metadata (TUF 1.0.33 §5.3 to §5.7). Pure: the
// time and what was believed before are arguments.
namespace seed::sigstore::tuf {

/// What a file broke; each is an attack of the specification's, or a mistake that looks like one.
enum class Rule {
  signatures,  ///< fewer keys than the threshold signed: arbitrary files, compromised keys
  version,     ///< not the version that was asked for: mix and match, a root that was skipped
  rollback,    ///< older than what was believed before
  expiry,      ///< frozen: nobody has vouched for it of late
  length,      ///< longer than it may be: endless data; or not as long as was signed
  hash,        ///< not the bytes that were signed
  missing,     ///< not in a list where it must be
};

class Refused : public IntegrityError {
 public:
  Refused(Rule rule, std::string message);

  Rule rule() const { return rule_; }

 private:
  Rule rule_;
};

/// Counts each key once, however many names it has and signatures it made. Throws Refused below the
/// threshold that `root` sets for the file's role.
void check_signatures(const Root& root, const Signed& file);

/// Throws Refused where `now` is not before `file` expires.
void check_unexpired(const Signed& file, Time now);

/// The root that everything starts from, which nobody vouches for but itself.
Root first_root(std::string_view text);

/// The root after `trusted`: signed as both demand, and its version is the next.
Root next_root(const Root& trusted, std::string_view text);

/// Whether the keys that `role` goes by are others now: what was signed with the old ones may have
/// been made by whoever stole them, version numbers and all (§5.3.11).
bool keys_changed(const Root& before, const Root& after, const std::string& role);

/// `known` itself where the new one has the same version.
Timestamp next_timestamp(const Root& root,
                         const std::optional<Timestamp>& known,
                         std::string_view text);

/// The snapshot that `timestamp` names; `known` is what was believed before.
Snapshot next_snapshot(const Root& root,
                       const Timestamp& timestamp,
                       const std::optional<Snapshot>& known,
                       std::string_view text);

/// The targets that `snapshot` names.
Targets next_targets(const Root& root, const Snapshot& snapshot, std::string_view text);

/// Throws Refused where there is none of that path.
const Target& target_named(const Targets& targets, const std::string& path);

void check_target(const Target& target, const std::string& path, std::string_view bytes);

}  // namespace seed::sigstore::tuf
