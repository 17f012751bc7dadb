#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "sigstore/bundle.hpp"
#include "sigstore/identity.hpp"
#include "sigstore/trusted_root.hpp"

namespace seed::sigstore {

/// What is checked of a bundle, in this order; a refusal names the first that did not hold.
enum class Check {
  format,      ///< the bytes are a bundle, of a known version, within limits
  leaf,        ///< the certificate or key is one that may sign
  log_entry,   ///< an entry of a known log is of a known kind, once, and its time was the log's
  entry_body,  ///< the entry is about this signature, key and content
  promise,     ///< the signed entry timestamp is the log's
  checkpoint,  ///< the checkpoint is the log's, and agrees with the proof
  inclusion,   ///< the entry is in the tree
  log_count,   ///< enough independent logs
  timestamp,   ///< a timestamp of a known authority is right
  time,        ///< there is a proven time
  chain,       ///< the certificate was good at every proven time
  sct,         ///< enough certificate logs promised to list the certificate
  signature,   ///< the signature is over the content
  statement,   ///< the payload is an in-toto statement
  subject,     ///< it is about the artifact asked for
  identity,    ///< it was signed by somebody believed
  predicate,   ///< it says a thing of the kind asked for
};

std::string_view to_string(Check check);

/// A check that was made, and what it rests on: one line for people.
struct Evidence {
  Check check;
  std::string text;
};

struct Rejection {
  Check check;
  std::string why;
  std::vector<Evidence> passed;  ///< what held before
};

/// The artifact a bundle is to be about. Its content is needed only for message signatures by
/// Ed25519 keys and by keys whose hash is not SHA-256.
struct Artifact {
  Digest sha256;
  std::optional<std::string_view> content;
};

/// What a caller asks of a bundle.
struct Expectation {
  std::optional<Artifact> artifact;  ///< absent: the caller looks at the subjects
  /// Keyless: one of these must have signed. Empty: the bundle must be signed by `key`.
  std::vector<Identity> identities;
  std::optional<PublicKey> key;
  std::optional<std::string> predicate_type;  ///< for statements; absent: any
  unsigned logs = 1;                          ///< independent ones
  unsigned times = 1;                         ///< not needed with `key`
  unsigned certificate_logs = 1;              ///< not needed with `key`
};

struct Subject {
  std::string name;  ///< nobody vouches for it
  std::map<std::string, std::string> digests;
};

/// in-toto Statement, v0.1 and v1.
struct Statement {
  std::vector<Subject> subjects;
  std::string predicate_type;
  std::string predicate;  ///< JSON, an object
};

/// Throws FormatError.
Statement parse_statement(std::string_view json);

struct LoggedIn {
  std::string log;            ///< base URL
  std::string operator_name;  ///< what independent logs are told apart by
  Bytes log_id;
  std::int64_t index = 0;
  std::optional<Time> integrated;  ///< where a SET vouches for it
};

/// The facts of a bundle of which every check held. Only `verify` makes one; who holds one need not
/// look at the bundle again, and can't be handed anything that was not checked.
class Verified {
 public:
  /// Empty where the signature is by a key.
  const std::optional<Signer>& signer() const { return signer_; }

  const std::optional<Statement>& statement() const { return statement_; }

  const std::string& payload() const { return payload_; }  ///< the statement's bytes

  const std::vector<LoggedIn>& logs() const { return logs_; }

  const std::vector<Time>& times() const { return times_; }  ///< proven, ascending

  const std::vector<Evidence>& evidence() const { return evidence_; }

  const Digest& bundle() const { return bundle_; }  ///< of the bundle's bytes

 private:
  explicit Verified(const Digest& bundle) : bundle_(bundle) {}
  friend class Verifier;

  std::optional<Signer> signer_;
  std::optional<Statement> statement_;
  std::string payload_;
  std::vector<LoggedIn> logs_;
  std::vector<Time> times_;
  std::vector<Evidence> evidence_;
  Digest bundle_;
};

using Verdict = std::variant<Verified, Rejection>;

/// Pure: no network, no clock, no file. Every time comes from the bundle, proven by an authority of
/// `root`. Follows Sigstore's client specification; the order is that of `Check`.
Verdict verify(std::string_view bundle_json, const TrustedRoot& root, const Expectation& expected);

}  // namespace seed::sigstore
