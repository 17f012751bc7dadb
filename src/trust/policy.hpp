#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/digest.hpp"
#include "sigstore/identity.hpp"
#include "sigstore/keys.hpp"
#include "sigstore/trusted_root.hpp"
#include "sigstore/verify.hpp"
#include "trust/provenance.hpp"

namespace seed::trust {

/// Whom a user believes, and what they must have said. docs/verify.md describes its file.
struct Policy {
  /// One of these signed, keyless; or one of `keys` did.
  std::vector<sigstore::Identity> identities;
  std::vector<sigstore::PublicKey> keys;
  std::vector<std::string> predicate_types{std::string(kProvenanceType)};
  std::vector<std::string> build_types;  ///< empty: any
  /// Empty: the builder that a statement names must be one of its certificate's own addresses.
  std::vector<std::string> builder_ids;
  /// Where the source is that a statement must name. Empty: where its certificate says.
  std::string source;
  unsigned logs = 1;              ///< independent ones
  unsigned times = 1;             ///< proven ones
  unsigned certificate_logs = 1;  ///< not asked of a key

  bool operator==(const Policy&) const = default;
};

/// The small JSON file. Unknown members, patterns, identities that anyone could have, no proven
/// time for an identity, and a policy that believes nobody are refused. Throws FormatError or
/// UsageError.
Policy parse_policy(std::string_view json);

/// Canonical JSON that parses as the same policy.
std::string to_json(const Policy& policy);

/// What whoever asks knows himself of the artifact, to be found in its statement; what is absent is
/// not asked for.
struct Expected {
  std::optional<Digest> lock;  ///< of flake.lock's bytes
  std::string key;             ///< nix::lock_key: the same inputs, seed-self aside, will do as well
  std::optional<Digest> closure;
  std::string system;
};

/// What a judgement looks at, in this order.
enum class Term {
  signature,   ///< sigstore::verify: everything that makes a bundle proof at all
  subject,     ///< it is about the artifact
  identity,    ///< by somebody believed
  thresholds,  ///< in enough logs, at enough proven times
  predicate,   ///< it says a thing of the kind asked for
  build_type,
  builder,  ///< the builder it names is who signed
  source,   ///< the source it names is the signer's
  commit,   ///< and so is the commit
  lock,     ///< of this flake.lock
  closure,  ///< of the closure that the image has
  system,
};

std::string_view to_string(Term term);

/// A term that was looked at, and what it rests on: one line for people.
struct Finding {
  Term term;
  std::string text;
};

struct Refusal {
  Term term;
  std::string why;
  std::optional<sigstore::Check> check;  ///< which of the signature's, where that is the term
  std::vector<sigstore::Evidence> evidence;
  std::vector<Finding> findings;  ///< what held before
};

/// A bundle that proves of an artifact what a policy asks. Only judge() and assess() make one.
class Accepted {
 public:
  const sigstore::Verified& verified() const { return verified_; }

  const std::vector<Finding>& findings() const { return findings_; }

  /// Which of the policy's identities signed; nothing where a key did.
  const std::optional<sigstore::Identity>& identity() const { return identity_; }

 private:
  explicit Accepted(sigstore::Verified verified) : verified_(std::move(verified)) {}
  friend class Judge;

  sigstore::Verified verified_;
  std::vector<Finding> findings_;
  std::optional<sigstore::Identity> identity_;
};

using Judgement = std::variant<Accepted, Refusal>;

/// Pure: what was verified, held to a policy. Looks again at everything the facts show, whatever
/// verify() was asked; what was signed by a key only assess() can accept.
Judgement judge(sigstore::Verified verified,
                const Digest& artifact,
                const Policy& policy,
                const Expected& expected);

/// sigstore::verify and judge() of one bundle. Pure.
Judgement assess(std::string_view bundle,
                 const sigstore::TrustedRoot& root,
                 const Digest& artifact,
                 const Policy& policy,
                 const Expected& expected);

/// Which identity of the policy a signer is; nothing where it is none of them.
std::optional<sigstore::Identity> identity_of(const Policy& policy, const sigstore::Signer& signer);

/// Who is believed where nobody said: whatever runs in the CI of the repository at `source`
/// (https://github.com/o/r, https://gitlab.com/o/r), with the repository's id where it is known.
/// Nothing for places whose CI the public certificate authority does not know.
std::optional<sigstore::Identity> identity_of_source(std::string_view source,
                                                     std::string_view repository_id);

/// What an SLSA provenance predicate says, as far as a judgement asks; unknown texts are empty.
struct Provenance {
  std::string build_type;
  std::string builder_id;
  std::string source;  ///< https://host/owner/name
  std::string commit;
  std::string lock;  ///< SHA-256 of flake.lock in hex
  std::string key;
  std::string system;
};

/// SLSA v1, whoever wrote it. Throws FormatError.
Provenance read_provenance(std::string_view predicate);

}  // namespace seed::trust
