#include "sigstore/verify.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/rfc3339.hpp"
#include "sigstore/sct.hpp"
#include "sigstore/timestamp.hpp"
#include "sigstore/verifier.hpp"

namespace seed::sigstore {
namespace {

constexpr std::string_view kStatementType = "application/vnd.in-toto+json";

std::string_view to_string(BundleVersion version) {
  constexpr std::array<std::string_view, 3> kNames{"0.1", "0.2", "0.3"};
  return kNames.at(static_cast<std::size_t>(version));
}

void check_expectation(const Expectation& expected) {
  if (expected.identities.empty() && !expected.key) {
    throw UsageError("verifying a bundle: nobody is believed",
                     "name an identity (--certificate-identity and --certificate-oidc-issuer) or a "
                     "public key (--key)");
  }
  std::ranges::for_each(expected.identities, check_identity);
}

}  // namespace

std::string_view to_string(Check check) {
  constexpr std::array<std::string_view, 17> kNames{"format",
                                                    "leaf",
                                                    "log-entry",
                                                    "entry-body",
                                                    "promise",
                                                    "checkpoint",
                                                    "inclusion",
                                                    "log-count",
                                                    "timestamp",
                                                    "time",
                                                    "chain",
                                                    "sct",
                                                    "signature",
                                                    "statement",
                                                    "subject",
                                                    "identity",
                                                    "predicate"};
  return kNames.at(static_cast<std::size_t>(check));
}

Verdict Verifier::run() {
  constexpr std::array<void (Verifier::*)(), 17> kSteps{&Verifier::format,
                                                        &Verifier::leaf,
                                                        &Verifier::log_entry,
                                                        &Verifier::entry_body,
                                                        &Verifier::promise,
                                                        &Verifier::checkpoint,
                                                        &Verifier::inclusion,
                                                        &Verifier::log_count,
                                                        &Verifier::timestamp,
                                                        &Verifier::time,
                                                        &Verifier::chain,
                                                        &Verifier::sct,
                                                        &Verifier::signature,
                                                        &Verifier::statement,
                                                        &Verifier::subject,
                                                        &Verifier::identity,
                                                        &Verifier::predicate};
  for (std::size_t i = 0; i < kSteps.size(); ++i) {
    try {
      (this->*kSteps[i])();
    } catch (const Error& error) {
      return Rejection{static_cast<Check>(i), error.message(), std::move(evidence_)};
    }
  }
  return verified();
}

Verified Verifier::verified() {
  Verified result(Digest::of(json_));
  result.signer_ = signer_;
  result.statement_ = std::move(statement_);
  if (envelope() != nullptr) {
    result.payload_ = envelope()->payload;
  }
  for (const Counted& counted : entries_) {
    std::optional<Time> integrated;
    if (counted.promised) {
      integrated = Time(std::chrono::seconds(counted.entry->integrated_time));
    }
    result.logs_.push_back({.log = counted.log->base_url,
                            .operator_name = counted.log->operator_name,
                            .log_id = counted.entry->log_id,
                            .index = counted.entry->log_index,
                            .integrated = integrated});
  }
  for (const Proven& proven : times_) {
    result.times_.push_back(proven.time);
  }
  std::ranges::sort(result.times_);
  result.evidence_ = std::move(evidence_);
  return result;
}

void Verifier::format() {
  bundle_ = parse_bundle(json_);
  say(Check::format,
      fmt::format("version {}, a {}, log entries: {}, timestamps: {}",
                  to_string(bundle_.version),
                  envelope() != nullptr ? "signed envelope" : "message signature",
                  bundle_.log_entries.size(),
                  bundle_.timestamps.size()));
}

void Verifier::read_certificates(const std::vector<Bytes>& chain) {
  if (expected_.identities.empty()) {
    throw IntegrityError("it is signed by a certificate, and only a key is believed");
  }
  certificate_ = Certificate::parse_der(chain.front());
  check_signing_certificate(*certificate_);
  for (const Bytes& other : std::span(chain).subspan(1)) {
    // Whoever brings his own root wants to be believed on his own word.
    if (Certificate::parse_der(other).is_self_issued()) {
      throw IntegrityError("it brings a root certificate along");
    }
  }
  key_ = certificate_->key();
  signer_ = signer_of(*certificate_);
}

void Verifier::leaf() {
  if (const auto* chain = std::get_if<std::vector<Bytes>>(&bundle_.material)) {
    read_certificates(*chain);
    say(Check::leaf,
        fmt::format("certificate {}, made for '{}'",
                    certificate_->serial(),
                    printable(signer_->subject, 400)));
    return;
  }
  const std::string& hint = std::get<PublicKeyHint>(bundle_.material).hint;
  if (!expected_.key) {
    throw IntegrityError(
        fmt::format("it is signed by the key '{}', and no key is believed", printable(hint)));
  }
  if (envelope() != nullptr && !hint.empty() && !envelope()->signature.keyid.empty() &&
      hint != envelope()->signature.keyid) {
    throw IntegrityError("it names two different keys");
  }
  key_ = expected_.key;
  say(Check::leaf, fmt::format("the key {}", key_->id().to_string()));
}

void Verifier::timestamp() {
  for (const Bytes& response : bundle_.timestamps) {
    const auto proven = check_timestamp(response, signature_bytes(), root_.timestamp_authorities);
    if (!proven) {
      say(Check::timestamp, "a timestamp of an unknown authority does not count");
      continue;
    }
    times_.push_back({proven->time, "authority " + proven->authority->operator_name});
    say(Check::timestamp,
        fmt::format(
            "{} saw the signature at {}", proven->authority->uri, to_rfc3339(proven->time)));
  }
}

void Verifier::time() {
  std::set<std::string> sources;
  for (const Proven& proven : times_) {
    sources.insert(proven.source);
  }
  // A certificate lives for minutes: without a time of somebody's it is as good as expired.
  const unsigned wanted = keyless() ? std::max(expected_.times, 1U) : 0;
  if (sources.size() < wanted) {
    throw IntegrityError(
        fmt::format("{} independent proofs of the time of signing instead of {} or more",
                    sources.size(),
                    wanted));
  }
  for (const Counted& counted : entries_) {
    for (const Proven& proven : times_) {
      if (!counted.promised && !counted.log->validity.contains(proven.time)) {
        throw IntegrityError(fmt::format(
            "the log {} was not trusted at {}", counted.log->base_url, to_rfc3339(proven.time)));
      }
    }
  }
  say(Check::time, fmt::format("{} independent of {} wanted", sources.size(), wanted));
}

std::vector<Verifier::Path> Verifier::paths_of_leaf() const {
  std::vector<Path> paths;
  std::string why = "no authority is trusted";
  for (const TrustedAuthority& authority : root_.certificate_authorities) {
    try {
      paths.push_back(
          {&authority, &authority.chain.issuer_of(*certificate_, Purpose::code_signing)});
    } catch (const IntegrityError& error) {
      why = error.message();
    }
  }
  if (paths.empty()) {
    throw IntegrityError("no trusted authority issued the certificate: " + why);
  }
  return paths;
}

void Verifier::chain() {
  if (!keyless()) {
    return say(Check::chain, "not needed with a key");
  }
  const std::vector<Path> paths = paths_of_leaf();
  for (const Proven& proven : times_) {
    std::string why;
    const auto good = [&](const Path& path) {
      if (!path.authority->validity.contains(proven.time)) {
        why = fmt::format(
            "the authority {} was not trusted at {}", path.authority->uri, to_rfc3339(proven.time));
        return false;
      }
      const auto problem =
          path.authority->chain.invalid_at(proven.time, *certificate_, *path.issuer);
      why = problem.value_or("");
      return !problem;
    };
    const auto found = std::ranges::find_if(paths, good);
    if (found == paths.end()) {
      throw IntegrityError(why);
    }
    issuer_ = found->issuer;
    say(Check::chain,
        fmt::format(
            "issued by {}, and good at {}", found->authority->uri, to_rfc3339(proven.time)));
  }
}

void Verifier::sct() {
  if (!keyless()) {
    return say(Check::sct, "not needed with a key");
  }
  if (expected_.certificate_logs == 0) {
    return say(Check::sct, "not asked for");
  }
  std::set<std::string> operators;
  for (const ListedIn& listed : check_scts(*certificate_, *issuer_, root_.certificate_logs)) {
    operators.insert(listed.log->operator_name);
    say(Check::sct,
        fmt::format("{} promised at {} to list the certificate",
                    listed.log->base_url,
                    to_rfc3339(listed.time)));
  }
  if (operators.size() < expected_.certificate_logs) {
    throw IntegrityError(fmt::format("{} independent certificate logs instead of {} or more",
                                     operators.size(),
                                     expected_.certificate_logs));
  }
}

const Bytes& Verifier::signature_bytes() const {
  return envelope() != nullptr ? envelope()->signature.signature
                               : std::get<MessageSignature>(bundle_.content).signature;
}

std::optional<Bytes> Verifier::content_digest(Hash algorithm) const {
  if (envelope() != nullptr) {
    return hash(algorithm, bytes_of(pae(envelope()->payload_type, envelope()->payload)));
  }
  if (!expected_.artifact) {
    return std::nullopt;
  }
  if (algorithm == Hash::sha256) {
    const auto& raw = expected_.artifact->sha256.raw();
    return Bytes(raw.begin(), raw.end());
  }
  return expected_.artifact->content
             ? std::optional(hash(algorithm, bytes_of(*expected_.artifact->content)))
             : std::nullopt;
}

void Verifier::signature() {
  if (const DsseEnvelope* signed_envelope = envelope()) {
    const std::string message = pae(signed_envelope->payload_type, signed_envelope->payload);
    const Bytes& bytes = signed_envelope->signature.signature;
    // Rekor v1 has envelopes signed with SHA-256 whatever the curve.
    if (!key_->verify(bytes_of(message), bytes) &&
        !key_->verify(Hash::sha256, bytes_of(message), bytes)) {
      throw IntegrityError("the signature is not over this envelope");
    }
  } else {
    check_message(std::get<MessageSignature>(bundle_.content));
  }
  say(Check::signature,
      fmt::format("by the {} over the content", keyless() ? "certificate's key" : "key"));
}

void Verifier::check_message(const MessageSignature& content) {
  if (!expected_.artifact) {
    throw IntegrityError("a message signature is about a file, and none was named");
  }
  if (!content.digest.empty()) {
    const auto algorithm = content.digest_algorithm == "SHA2_256"   ? Hash::sha256
                           : content.digest_algorithm == "SHA2_384" ? Hash::sha384
                                                                    : Hash::sha512;
    const auto digest = content_digest(algorithm);
    if (digest && *digest != content.digest) {
      throw IntegrityError("the bundle is about another artifact");
    }
  }
  const auto over = [&](Hash algorithm) {
    const auto digest = content_digest(algorithm);
    return digest && key_->verify_hashed(algorithm, *digest, content.signature);
  };
  const auto& file = expected_.artifact->content;
  const bool good = key_->type() == KeyType::ed25519
                        ? file && key_->verify(bytes_of(*file), content.signature)
                        : over(key_->hash()) || over(Hash::sha256);
  if (!good) {
    throw IntegrityError(file || key_->hash() == Hash::sha256
                             ? "the signature is not over this artifact"
                             : "the signature can't be checked with the artifact's SHA-256 alone");
  }
}

void Verifier::statement() {
  if (envelope() == nullptr) {
    if (expected_.predicate_type) {
      throw IntegrityError("a message signature has no statement");
    }
    return say(Check::statement, "none: a message signature");
  }
  if (envelope()->payload_type != kStatementType) {
    throw FormatError(fmt::format(
        "the payload is '{}', not {}", printable(envelope()->payload_type), kStatementType));
  }
  statement_ = parse_statement(envelope()->payload);
  say(Check::statement, fmt::format("in-toto, subjects: {}", statement_->subjects.size()));
}

void Verifier::subject() {
  if (!expected_.artifact) {
    return say(Check::subject, "not asked for");
  }
  const std::string wanted = expected_.artifact->sha256.hex();
  if (statement_) {
    const auto is_it = [&](const Subject& subject) {
      const auto digest = subject.digests.find("sha256");
      return digest != subject.digests.end() && digest->second == wanted;
    };
    if (std::ranges::none_of(statement_->subjects, is_it)) {
      throw IntegrityError(fmt::format("the statement is not about sha256:{}", wanted));
    }
  }
  say(Check::subject, "sha256:" + wanted);
}

void Verifier::identity() {
  if (!keyless()) {
    return say(Check::identity, "the key itself");
  }
  std::string why;
  for (const Identity& identity : expected_.identities) {
    const auto difference = mismatch(identity, *signer_);
    if (!difference) {
      return say(
          Check::identity,
          fmt::format("'{}' by {}", printable(signer_->subject, 400), printable(signer_->issuer)));
    }
    why += (why.empty() ? "" : "; ") + *difference;
  }
  throw IntegrityError(why);
}

void Verifier::predicate() {
  if (!statement_) {
    return say(Check::predicate, "none");
  }
  if (expected_.predicate_type && *expected_.predicate_type != statement_->predicate_type) {
    throw IntegrityError(fmt::format("the statement is of the type '{}', not '{}'",
                                     printable(statement_->predicate_type, 400),
                                     printable(*expected_.predicate_type, 400)));
  }
  say(Check::predicate, printable(statement_->predicate_type, 400));
}

Verdict verify(std::string_view bundle_json, const TrustedRoot& root, const Expectation& expected) {
  check_expectation(expected);
  return Verifier(bundle_json, root, expected).run();
}

}  // namespace seed::sigstore
