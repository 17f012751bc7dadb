#include "sigstore/sign.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/certificate.hpp"
#include "sigstore/chain.hpp"
#include "sigstore/exchange.hpp"
#include "sigstore/fulcio.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/rekor.hpp"
#include "sigstore/rfc3339.hpp"
#include "sigstore/sct.hpp"
#include "sigstore/timestamp_client.hpp"
#include "sigstore/token.hpp"

namespace seed::sigstore {
namespace {

constexpr std::string_view kInTotoType = "application/vnd.in-toto+json";
constexpr unsigned kNoLog = 0;
constexpr unsigned kRekor2 = 2;

/// Asks `selection`'s services in their order until enough of them answered; one that fails is made
/// up for by the next, where there is one.
template <class Ask>
void ask_enough(const Selection& selection, const Ask& ask) {
  std::size_t answered = 0;
  for (std::size_t i = 0; i < selection.services.size() && answered < selection.needed; ++i) {
    try {
      ask(selection.services[i]);
      ++answered;
    } catch (const NetworkError&) {
      if (selection.services.size() - i - 1 < selection.needed - answered) {
        throw;
      }
    }
  }
}

/// The clock of a machine that is wrong by more gets certificates that are not yet valid, or no
/// longer; a little is the authority's or ours to be off.
void check_clock(const Certificate& leaf, Time now) {
  constexpr std::chrono::minutes kSkew{5};
  if (leaf.not_before() > now + kSkew || leaf.not_after() < now) {
    throw UsageError(fmt::format("the certificate is valid from {} to {}, and here it is {}",
                                 to_rfc3339(leaf.not_before()),
                                 to_rfc3339(leaf.not_after()),
                                 to_rfc3339(now)),
                     "set this machine's clock");
  }
}

/// The chain that leads to somebody trusted, and the promises of certificate logs.
void check_issuer(const Certificate& leaf, const TrustedRoot& root) {
  std::string why = "the trusted root has no certificate authority for this time";
  for (const TrustedAuthority& authority : root.certificate_authorities) {
    if (!authority.validity.contains(leaf.not_before())) {
      continue;
    }
    try {
      const Chain& chain = authority.chain;
      const Certificate& issuer = chain.issuer_of(leaf, Purpose::code_signing);
      if (const auto invalid = chain.invalid_at(leaf.not_before(), leaf, issuer)) {
        throw IntegrityError(*invalid);
      }
      if (!root.certificate_logs.empty() &&
          check_scts(leaf, issuer, root.certificate_logs).empty()) {
        throw IntegrityError("no certificate log that is trusted promised to list it");
      }
      return;
    } catch (const IntegrityError& error) {
      why = error.message();
    }
  }
  throw IntegrityError(fmt::format("Fulcio's certificate does not hold: {}", why),
                       "Fulcio and the trusted root must belong together: give both of a private "
                       "deployment (--signing-config, --trusted-root), or neither");
}

/// Nothing is signed for a certificate that is not ours, or that nobody would believe.
Signer check_certificate(const IssuedCertificate& issued,
                         const PublicKey& key,
                         const TokenClaims& claims,
                         const SigningWorld& world) {
  const Certificate leaf = Certificate::parse_der(issued.leaf);
  if (!(leaf.key() == key)) {
    throw IntegrityError("Fulcio's certificate is for another key than ours");
  }
  check_signing_certificate(leaf);
  const Signer signer = signer_of(leaf);
  if (const auto why = mismatch(claims, signer)) {
    throw IntegrityError("Fulcio's certificate is for somebody else: " + *why);
  }
  check_clock(leaf, world.clock.now());
  if (issued.has_detached_sct) {
    throw UsageError(
        "Fulcio gives the certificate log's promise apart from the certificate, and a "
        "bundle has no room for it",
        "configure Fulcio to embed it");
  }
  check_issuer(leaf, world.root);
  return signer;
}

/// Everything that the certificate says, to the letter.
Identity identity_of(const Signer& signer) {
  const auto said = [](const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  };
  return {.issuer = signer.issuer,
          .subject = said(signer.subject),
          .build_signer_uri = said(signer.build_signer_uri),
          .runner_environment = said(signer.runner_environment),
          .source_repository_uri = said(signer.source_repository_uri),
          .source_digest = said(signer.source_digest),
          .source_ref = said(signer.source_ref),
          .source_repository_id = said(signer.source_repository_id),
          .source_owner_uri = said(signer.source_owner_uri),
          .source_owner_id = said(signer.source_owner_id),
          .build_trigger = said(signer.build_trigger)};
}

void put_signature(Bundle& bundle, const Signable& content, SigningKey& key) {
  if (const auto* statement = std::get_if<StatementText>(&content)) {
    const std::string encoded = pae(kInTotoType, statement->json);
    bundle.content = DsseEnvelope{.payload = std::string(statement->json),
                                  .payload_type = std::string(kInTotoType),
                                  .signature = {key.sign(bytes_of(encoded)), {}}};
    return;
  }
  const ByteView bytes = bytes_of(std::get<FileContent>(content).bytes);
  bundle.content = MessageSignature{.digest_algorithm = "SHA2_256",
                                    .digest = hash(Hash::sha256, bytes),
                                    .signature = key.sign(bytes)};
}

const Bytes& signature_of(const Bundle& bundle) {
  const auto* envelope = std::get_if<DsseEnvelope>(&bundle.content);
  return envelope != nullptr ? envelope->signature.signature
                             : std::get<MessageSignature>(bundle.content).signature;
}

/// False where a log has this very signature already and can't say where.
bool put_entries(Bundle& bundle,
                 const std::optional<PublicKey>& key,
                 const SigningPlan& plan,
                 http::Transport& transport) {
  bool fresh = true;
  for (const Selection& logs : plan.logs) {
    ask_enough(logs, [&](const Service& log) {
      if (log.major_api_version != kRekor2) {
        bundle.log_entries.push_back(log_with_rekor_v1(transport, log.url, {bundle, key}));
      } else if (auto entry = log_with_rekor_v2(transport, log.url, {bundle, key})) {
        bundle.log_entries.push_back(std::move(*entry));
      } else {
        fresh = false;
      }
    });
  }
  return fresh;
}

/// Signature, timestamps over it, entries of it.
void complete(Bundle& bundle,
              const Signable& content,
              SigningKey& key,
              const SigningPlan& plan,
              http::Transport& transport) {
  constexpr int kTries = 3;
  const bool by_key = std::holds_alternative<PublicKeyHint>(bundle.material);
  const std::optional<PublicKey> known = by_key ? std::optional(key.public_key()) : std::nullopt;
  for (int tried = 0; tried < kTries; ++tried) {
    bundle.timestamps.clear();
    bundle.log_entries.clear();
    put_signature(bundle, content, key);
    while_doing("getting a timestamp", [&] {
      ask_enough(plan.timestamp_authorities, [&](const Service& authority) {
        bundle.timestamps.push_back(
            request_timestamp(transport, authority.url, signature_of(bundle)));
      });
    });
    if (while_doing("logging the signature",
                    [&] { return put_entries(bundle, known, plan, transport); })) {
      return;
    }
  }
  throw NetworkError("the log says of each new signature that it has it already",
                     "run it again, or look at the log's status page");
}

/// The last word: whoever verifies later does the same.
SignedBundle verified(const Bundle& bundle,
                      const Signable& content,
                      const TrustedRoot& root,
                      Expectation expected) {
  const auto* file = std::get_if<FileContent>(&content);
  if (file != nullptr) {
    expected.artifact = Artifact{Digest::of(file->bytes), file->bytes};
  }
  std::string json = to_json(bundle);
  Verdict verdict = verify(json, root, expected);
  if (const auto* rejection = std::get_if<Rejection>(&verdict)) {
    throw IntegrityError(
        fmt::format("what was just signed does not verify ({}): {}; it is not published",
                    to_string(rejection->check),
                    rejection->why),
        "the services and the trusted root must belong together; if they do, a service is wrong");
  }
  Verified facts = std::get<Verified>(std::move(verdict));
  if (facts.logs().size() != bundle.log_entries.size()) {
    throw IntegrityError(fmt::format("of {} log entries {} are of logs that the trusted root has",
                                     bundle.log_entries.size(),
                                     facts.logs().size()),
                         "give the trusted root that the logs belong to (--trusted-root)");
  }
  return {std::move(json), std::move(facts)};
}

/// Of a key that never changes nothing can be logged but what logs can check.
void check_loggable(const SigningKey& key, const Signable& content, const SigningPlan& plan) {
  if (key.public_key().type() != KeyType::ed25519) {
    return;
  }
  for (const Selection& logs : plan.logs) {
    const bool v2 = std::ranges::any_of(
        logs.services, [](const Service& log) { return log.major_api_version == kRekor2; });
    if (v2 || std::holds_alternative<FileContent>(content)) {
      throw UsageError(fmt::format("Rekor takes no Ed25519 signature over {}",
                                   v2 ? "a hash, which is all that version 2 gets" : "a file"),
                       "sign with a P-256 key, or without a log (--rekor none)");
    }
  }
}

}  // namespace

SigningPlan plan_signing(const SigningConfig& config,
                         SignedBy signed_by,
                         std::span<const unsigned> log_versions,
                         Time now) {
  constexpr std::array<unsigned, 1> kAuthorityVersions{1};
  constexpr std::array<unsigned, 2> kLogVersions{1, kRekor2};
  SigningPlan plan;
  if (signed_by == SignedBy::identity) {
    plan.certificate_authorities = select_services(
        config.certificate_authorities, {}, kAuthorityVersions, now, "certificate authority");
    plan.certificate_authorities.needed = 1;
  }
  if (!config.timestamp_authorities.empty()) {
    plan.timestamp_authorities = select_services(config.timestamp_authorities,
                                                 config.timestamp_config,
                                                 kAuthorityVersions,
                                                 now,
                                                 "timestamp authority");
  }
  if (log_versions.empty()) {
    plan.logs.push_back(select_services(config.logs, config.log_config, kLogVersions, now, "log"));
  }
  for (const unsigned& version : log_versions) {
    if (version != kNoLog) {
      plan.logs.push_back(select_services(config.logs,
                                          config.log_config,
                                          std::span(&version, 1),
                                          now,
                                          fmt::format("log of version {}", version)));
    }
  }
  return plan;
}

SignedBundle sign(const Signable& content,
                  std::string_view token,
                  const SigningPlan& plan,
                  const SigningWorld& world) {
  const TokenClaims claims = parse_token(token);
  check_token(claims, world.clock.now());
  UntilTransport transport(world.transport, world.clock, world.clock.now() + kSigningTime);
  PrivateKey key = PrivateKey::generate();
  Bundle bundle;
  Signer signer;
  while_doing("getting a certificate", [&] {
    ask_enough(plan.certificate_authorities, [&](const Service& authority) {
      IssuedCertificate issued =
          request_certificate(transport, authority.url, token, challenge_of(claims), key);
      signer = check_certificate(issued, key.public_key(), claims, world);
      bundle.material = std::vector<Bytes>{std::move(issued.leaf)};
    });
  });
  complete(bundle, content, key, plan, transport);
  return verified(bundle,
                  content,
                  world.root,
                  {.identities = {identity_of(signer)},
                   .logs = plan.logs.empty() ? 0U : 1U,
                   .certificate_logs = world.root.certificate_logs.empty() ? 0U : 1U});
}

SignedBundle sign(const Signable& content,
                  SigningKey& key,
                  const SigningPlan& plan,
                  const SigningWorld& world) {
  check_loggable(key, content, plan);
  UntilTransport transport(world.transport, world.clock, world.clock.now() + kSigningTime);
  Bundle bundle;
  bundle.material = PublicKeyHint{to_base64(key.public_key().id().raw())};
  complete(bundle, content, key, plan, transport);
  return verified(bundle,
                  content,
                  world.root,
                  {.key = key.public_key(), .logs = plan.logs.empty() ? 0U : 1U, .times = 0});
}

}  // namespace seed::sigstore
