#include <algorithm>
#include <array>
#include <set>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "trust/policy.hpp"

namespace seed::trust {
namespace {

std::string list(const std::vector<std::string>& values) {
  std::string text;
  for (const std::string& value : values) {
    text += (text.empty() ? "'" : ", '") + printable(value) + "'";
  }
  return text;
}

bool contains(const std::vector<std::string>& values, const std::string& value) {
  return std::ranges::find(values, value) != values.end();
}

/// Whether a statement is about bytes with this SHA-256. The name is not looked at where it is
/// empty.
bool is_about(const sigstore::Statement& statement,
              const Digest& digest,
              std::string_view name = {}) {
  return std::ranges::any_of(statement.subjects, [&](const sigstore::Subject& subject) {
    const auto found = subject.digests.find("sha256");
    return found != subject.digests.end() && found->second == digest.hex() &&
           (name.empty() || subject.name == name);
  });
}

}  // namespace

std::string_view to_string(Term term) {
  constexpr std::array<std::string_view, 12> kNames{"signature",
                                                    "subject",
                                                    "identity",
                                                    "thresholds",
                                                    "predicate",
                                                    "build type",
                                                    "builder",
                                                    "source",
                                                    "commit",
                                                    "flake.lock",
                                                    "closure",
                                                    "system"};
  return kNames.at(static_cast<std::size_t>(term));
}

/// Goes through the terms of one bundle; the first that does not hold ends it.
class Judge {
 public:
  Judge(sigstore::Verified verified,
        const Digest& artifact,
        const Policy& policy,
        const Expected& expected)
      : accepted_(std::move(verified)),
        artifact_(artifact),
        policy_(policy),
        expected_(expected),
        verified_(accepted_.verified_) {}

  /// `by_key`: verify() has just found one of the policy's keys.
  Judgement judge(bool by_key);

 private:
  struct Stop {
    Term term;
    std::string why;
  };

  [[noreturn]] static void refuse(Term term, std::string why) { throw Stop{term, std::move(why)}; }

  void hold(Term term, std::string text) { accepted_.findings_.push_back({term, std::move(text)}); }

  void subject();
  void identity(bool by_key);
  void thresholds();
  void predicate();
  void build_type();
  void builder();
  void source();
  void commit();
  void lock();
  void closure();
  void system();

  Accepted accepted_;
  const Digest& artifact_;
  const Policy& policy_;
  const Expected& expected_;
  const sigstore::Verified& verified_;
  Provenance provenance_;  ///< empty texts where the predicate is another
};

void Judge::subject() {
  if (!verified_.statement()) {
    refuse(Term::subject, "it is a signature alone, and says nothing of how the artifact was made");
  }
  if (!is_about(*verified_.statement(), artifact_)) {
    refuse(Term::subject, "it is not about " + artifact_.to_string());
  }
  hold(Term::subject, artifact_.to_string());
}

void Judge::identity(bool by_key) {
  const auto& signer = verified_.signer();
  if (by_key) {
    hold(Term::identity, "a key of the policy signed");
    return;
  }
  if (!signer) {
    refuse(Term::identity, "a key signed, and the policy believes others");
  }
  accepted_.identity_ = identity_of(policy_, *signer);
  if (!accepted_.identity_) {
    std::string why;
    for (const sigstore::Identity& candidate : policy_.identities) {
      why += (why.empty() ? "" : "; ") + sigstore::mismatch(candidate, *signer).value_or("");
    }
    refuse(Term::identity, why.empty() ? "the policy believes no identity" : why);
  }
  hold(Term::identity, printable(signer->subject) + " by " + printable(signer->issuer));
}

void Judge::thresholds() {
  std::set<std::string> operators;
  for (const sigstore::LoggedIn& entry : verified_.logs()) {
    operators.insert(entry.operator_name);
  }
  if (operators.size() < policy_.logs) {
    refuse(Term::thresholds,
           fmt::format("it is in {} independent logs of {}", operators.size(), policy_.logs));
  }
  if (verified_.signer() && verified_.times().size() < policy_.times) {
    refuse(Term::thresholds,
           fmt::format("it has {} proven times of {}", verified_.times().size(), policy_.times));
  }
  hold(Term::thresholds,
       fmt::format(
           "{} independent logs, {} proven times", operators.size(), verified_.times().size()));
}

void Judge::predicate() {
  const std::string& type = verified_.statement()->predicate_type;
  if (!contains(policy_.predicate_types, type)) {
    refuse(Term::predicate,
           fmt::format("it says '{}', not {}", printable(type), list(policy_.predicate_types)));
  }
  hold(Term::predicate, printable(type));
  if (type == kProvenanceType) {
    try {
      provenance_ = read_provenance(verified_.statement()->predicate);
    } catch (const FormatError& error) {
      refuse(Term::predicate, error.message());
    }
  }
}

void Judge::build_type() {
  if (policy_.build_types.empty()) {
    return;
  }
  if (!contains(policy_.build_types, provenance_.build_type)) {
    refuse(Term::build_type,
           fmt::format(
               "it is '{}', not {}", printable(provenance_.build_type), list(policy_.build_types)));
  }
  hold(Term::build_type, printable(provenance_.build_type));
}

/// SLSA, "Verifying artifacts": a builder is accepted together with who signed for it only.
void Judge::builder() {
  std::vector<std::string> allowed = policy_.builder_ids;
  const auto& signer = verified_.signer();
  if (allowed.empty() && signer && !provenance_.builder_id.empty()) {
    allowed = {signer->subject,
               signer->build_signer_uri,
               signer->build_config_uri,
               signer->source_repository_uri};
    std::erase(allowed, "");
  }
  if (allowed.empty()) {
    return;
  }
  if (!contains(allowed, provenance_.builder_id)) {
    refuse(Term::builder,
           fmt::format("it names '{}', not {}", printable(provenance_.builder_id), list(allowed)));
  }
  hold(Term::builder, printable(provenance_.builder_id));
}

void Judge::source() {
  std::string wanted = policy_.source;
  if (wanted.empty() && verified_.signer()) {
    wanted = verified_.signer()->source_repository_uri;
  }
  const bool silent = provenance_.source.empty() && policy_.source.empty();
  if (wanted.empty() || silent) {
    return;
  }
  if (provenance_.source != wanted) {
    refuse(
        Term::source,
        fmt::format("it names '{}', not '{}'", printable(provenance_.source), printable(wanted)));
  }
  hold(Term::source, printable(wanted));
}

/// A job's certificate and its statement name the same commit, or the job built what others put in
/// its place.
void Judge::commit() {
  const auto& signer = verified_.signer();
  if (!signer || signer->source_digest.empty() || provenance_.commit.empty() ||
      provenance_.source != signer->source_repository_uri) {
    return;
  }
  if (provenance_.commit != signer->source_digest) {
    refuse(Term::commit,
           fmt::format("it names {}, and its certificate {}",
                       printable(provenance_.commit),
                       printable(signer->source_digest)));
  }
  hold(Term::commit, printable(provenance_.commit));
}

void Judge::lock() {
  if (!expected_.lock) {
    return;
  }
  if (provenance_.lock == expected_.lock->hex()) {
    hold(Term::lock, expected_.lock->to_string());
  } else if (!expected_.key.empty() && provenance_.key == expected_.key) {
    hold(Term::lock, expected_.key + ": the same inputs, seed-self aside");
  } else if (provenance_.lock.empty()) {
    refuse(Term::lock, "it names no flake.lock");
  } else {
    refuse(Term::lock,
           fmt::format("it names sha256:{}, and here it is {}",
                       printable(provenance_.lock),
                       expected_.lock->to_string()));
  }
}

void Judge::closure() {
  if (!expected_.closure) {
    return;
  }
  if (!is_about(*verified_.statement(), *expected_.closure, "closure")) {
    refuse(Term::closure, "it is not about the closure " + expected_.closure->to_string());
  }
  hold(Term::closure, expected_.closure->to_string());
}

void Judge::system() {
  if (expected_.system.empty()) {
    return;
  }
  if (provenance_.system != expected_.system) {
    refuse(
        Term::system,
        fmt::format(
            "it names '{}', not '{}'", printable(provenance_.system), printable(expected_.system)));
  }
  hold(Term::system, expected_.system);
}

Judgement Judge::judge(bool by_key) {
  try {
    subject();
    identity(by_key);
    thresholds();
    predicate();
    build_type();
    builder();
    source();
    commit();
    lock();
    closure();
    system();
    return std::move(accepted_);
  } catch (const Stop& stop) {
    return Refusal{.term = stop.term,
                   .why = stop.why,
                   .check = std::nullopt,
                   .evidence = verified_.evidence(),
                   .findings = accepted_.findings_};
  }
}

Judgement judge(sigstore::Verified verified,
                const Digest& artifact,
                const Policy& policy,
                const Expected& expected) {
  return Judge(std::move(verified), artifact, policy, expected).judge(false);
}

Judgement assess(std::string_view bundle,
                 const sigstore::TrustedRoot& root,
                 const Digest& artifact,
                 const Policy& policy,
                 const Expected& expected) {
  sigstore::Expectation expectation{.artifact = sigstore::Artifact{artifact, std::nullopt},
                                    .identities = policy.identities,
                                    .key = std::nullopt,
                                    .predicate_type = std::nullopt,
                                    .logs = policy.logs,
                                    .times = policy.times,
                                    .certificate_logs = policy.certificate_logs};
  if (policy.predicate_types.size() == 1) {
    expectation.predicate_type = policy.predicate_types.front();
  }
  std::optional<sigstore::Rejection> rejection;
  const auto attempt = [&](bool by_key) -> std::optional<Judgement> {
    sigstore::Verdict verdict = sigstore::verify(bundle, root, expectation);
    if (auto* verified = std::get_if<sigstore::Verified>(&verdict)) {
      return Judge(std::move(*verified), artifact, policy, expected).judge(by_key);
    }
    auto& rejected = std::get<sigstore::Rejection>(verdict);
    // Of several attempts the one that got furthest says most.
    if (!rejection || rejection->check < rejected.check) {
      rejection = std::move(rejected);
    }
    return std::nullopt;
  };
  if (!policy.identities.empty()) {
    if (auto judgement = attempt(false)) {
      return *std::move(judgement);
    }
  }
  expectation.identities.clear();
  for (const sigstore::PublicKey& key : policy.keys) {
    expectation.key = key;
    if (auto judgement = attempt(true)) {
      return *std::move(judgement);
    }
  }
  if (!rejection) {
    return Refusal{.term = Term::identity,
                   .why = "the policy believes nobody",
                   .check = std::nullopt,
                   .evidence = {},
                   .findings = {}};
  }
  return Refusal{.term = Term::signature,
                 .why = std::move(rejection->why),
                 .check = rejection->check,
                 .evidence = std::move(rejection->passed),
                 .findings = {}};
}

std::optional<sigstore::Identity> identity_of(const Policy& policy,
                                              const sigstore::Signer& signer) {
  const auto found = std::ranges::find_if(
      policy.identities,
      [&](const sigstore::Identity& identity) { return !sigstore::mismatch(identity, signer); });
  return found == policy.identities.end() ? std::nullopt : std::optional(*found);
}

std::optional<sigstore::Identity> identity_of_source(std::string_view source,
                                                     std::string_view repository_id) {
  struct Place {
    std::string_view prefix;
    std::string_view issuer;
  };

  // The hosts whose CI the public-good certificate authority knows (fulcio,
  // config/identity/config.yaml).
  constexpr std::array kPlaces{
      Place{"https://github.com/", "https://token.actions.githubusercontent.com"},
      Place{"https://gitlab.com/", "https://gitlab.com"}};
  for (const Place& place : kPlaces) {
    if (source.starts_with(place.prefix) && source.size() > place.prefix.size()) {
      sigstore::Identity identity;
      identity.issuer = std::string(place.issuer);
      identity.source_repository_uri = std::string(source);
      if (!repository_id.empty()) {
        identity.source_repository_id = std::string(repository_id);
      }
      return identity;
    }
  }
  return std::nullopt;
}

}  // namespace seed::trust
