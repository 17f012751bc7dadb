#include "app/signing.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "app/publish_report.hpp"
#include "app/trust_material.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "os/file.hpp"
#include "sigstore/limits.hpp"
#include "sigstore/token.hpp"

namespace seed::app {
namespace {

using sigstore::Secret;

SignMode mode_of(const Options& options, SignMode otherwise) {
  const auto word = options.get("sign");
  if (!word) {
    return otherwise;
  }
  if (word == "auto") {
    return SignMode::automatic;
  }
  if (word == "always") {
    return SignMode::always;
  }
  if (word == "never") {
    return SignMode::never;
  }
  throw UsageError(fmt::format("--sign is '{}'", printable(*word)), "say auto, always or never");
}

std::vector<unsigned> log_versions_of(const Options& options, bool with_key) {
  const auto word = options.get("rekor");
  if (!word) {
    return {};
  }
  if (*word == "1") {
    return {1};
  }
  if (*word == "2") {
    return {2};
  }
  if (*word == "1,2") {
    return {1, 2};
  }
  if (*word == "none" && with_key) {
    return {0};
  }
  throw UsageError(fmt::format("--rekor is '{}'", printable(*word)),
                   *word == "none"
                       ? "only signatures by a key (--signing-key, --signer) go without a log"
                       : "say 1, 2, 1,2 or none");
}

std::optional<Secret> password_of(const World& world) {
  for (const char* name : {"NIX_SEED_KEY_PASSWORD", "COSIGN_PASSWORD"}) {
    if (auto word = os::get(world.environment, name)) {
      return Secret(*std::move(word));
    }
  }
  return std::nullopt;
}

std::unique_ptr<sigstore::SigningKey> key_of(const World& world, const Options& options) {
  const auto file = options.get("signing-key");
  const auto signer = options.get("signer");
  if (file && signer) {
    throw UsageError("--signing-key and --signer are both there", "give one of them");
  }
  if (file) {
    return while_doing("reading the key " + printable(*file), [&] {
      const Secret pem(os::read_file(world.directory / *file, sigstore::kMaxKeyBytes));
      return std::make_unique<sigstore::PrivateKey>(
          sigstore::PrivateKey::parse_pem(pem.text(), [&] { return password_of(world); }));
    });
  }
  if (signer) {
    std::vector<std::string> argv;
    for (const std::string_view word : split(*signer, ' ')) {
      if (!word.empty()) {
        argv.emplace_back(word);
      }
    }
    return std::make_unique<sigstore::ExternalKey>(world.runner, std::move(argv));
  }
  return nullptr;
}

std::string requested_token(const World& world, const ci::TokenRequest& request) {
  const http::Response response = world.transport.send(
      {.url = request.url,
       .headers = {{"Authorization", "bearer " + request.bearer}, {"Accept", "application/json"}},
       .max_response_bytes = sigstore::kMaxTokenBytes});
  if (response.status != 200) {
    throw NetworkError(fmt::format("the CI host gives no identity token: {} answered {}",
                                   http::redact_url(request.url),
                                   response.status),
                       std::string(ci::token_remedy(facts_of(world).kind)),
                       response.status);
  }
  return oci::string_member(
      oci::parse_json(response.body, sigstore::kMaxTokenBytes, "the host's answer"), "value");
}

std::string printed_token(const World& world, const ci::TokenProgram& program) {
  const os::Captured printed =
      os::capture(world.runner, os::Command{.argv = program.argv}, sigstore::kMaxTokenBytes);
  if (!printed.exit.ok()) {
    throw Error(fmt::format("'{}' ended with {}: {}",
                            os::to_shell(program.argv),
                            printed.exit.code,
                            printable(trim(printed.err), 300)));
  }
  return printed.out;
}

/// From here on no log shows it.
Secret token_of(const World& world, const ci::TokenSource& source) {
  const std::string token = while_doing("getting an identity token", [&] {
    if (const auto* request = std::get_if<ci::TokenRequest>(&source)) {
      return requested_token(world, *request);
    }
    if (const auto* variable = std::get_if<ci::TokenVariable>(&source)) {
      return variable->token;
    }
    if (const auto* program = std::get_if<ci::TokenProgram>(&source)) {
      return printed_token(world, *program);
    }
    return os::read_file(world.directory / std::get<ci::TokenFile>(source).path,
                         sigstore::kMaxTokenBytes);
  });
  Secret trimmed{std::string(trim(token))};
  if (world.ci != nullptr) {
    world.ci->hide(trimmed.text());
  }
  return trimmed;
}

/// GitLabs that the public Fulcio knows (fulcio, config/identity/config.yaml).
constexpr std::array<std::string_view, 4> kPublicGitlabs{"https://gitlab.com",
                                                         "https://gitlab.archlinux.org",
                                                         "https://dev.gitlab.org",
                                                         "https://ops.gitlab.net"};

/// What is published is published for ever, so nobody's private project gets there by default; nor
/// is a service asked for what it can't do.
std::optional<UsageError> why_not_public(const World& world,
                                         const Signing& signing,
                                         const sigstore::TokenClaims& claims) {
  constexpr std::string_view kRemedy =
      "name services of your own (--signing-config), sign with a key (--signing-key), or say "
      "--sign always";
  if (!signing.public_services || signing.mode == SignMode::always) {
    return std::nullopt;
  }
  if (claims.visibility == "private" || claims.visibility == "internal") {
    return UsageError(fmt::format("{} is {}, and Sigstore's public log would show its name",
                                  printable(claims.repository),
                                  claims.visibility),
                      std::string(kRemedy));
  }
  if (facts_of(world).kind == ci::HostKind::gitlab &&
      std::ranges::find(kPublicGitlabs, claims.issuer) == kPublicGitlabs.end()) {
    return UsageError(fmt::format("Sigstore's public services do not know the issuer {}",
                                  printable(claims.issuer)),
                      std::string(kRemedy));
  }
  return std::nullopt;
}

sigstore::TokenClaims claims_of(const World& world, std::string_view token) {
  sigstore::TokenClaims claims = sigstore::parse_token(token);
  sigstore::check_token(claims, world.clock.now());
  return claims;
}

SigningMaterial material_for(const World& world, const Options& options) {
  return {trusted_root_for(world, options), signing_config_for(world, options)};
}

sigstore::SigningPlan plan_of(const World& world,
                              const Signing& signing,
                              const sigstore::SigningConfig& config) {
  return sigstore::plan_signing(
      config,
      signing.key ? sigstore::SignedBy::key : sigstore::SignedBy::identity,
      signing.log_versions,
      world.clock.now());
}

Signing refuse(Signing signing, std::string why, std::string remedy) {
  if (signing.mode == SignMode::always) {
    throw UsageError("nothing can be signed: " + why, std::move(remedy));
  }
  signing.why_not = std::move(why);
  signing.remedy = std::move(remedy);
  return signing;
}

}  // namespace

Signing prepare_signing(const World& world,
                        const Options& options,
                        const std::string& untrusted,
                        SignMode otherwise) {
  Signing signing{.mode = mode_of(options, otherwise)};
  if (signing.mode == SignMode::never) {
    return refuse(std::move(signing), "--sign never", {});
  }
  if (!untrusted.empty()) {
    return refuse(std::move(signing),
                  untrusted + " (NS004)",
                  "runs of trusted branches sign; an untrusted run has no right to");
  }
  signing.public_services = !options.get("signing-config");
  signing.key = key_of(world, options);
  signing.log_versions = log_versions_of(options, signing.key != nullptr);
  const ci::HostKind kind = facts_of(world).kind;
  if (signing.key == nullptr) {
    signing.source = ci::token_source(kind, world.environment, sigstore::kTokenAudience);
    if (!signing.source) {
      return refuse(std::move(signing),
                    "there is neither an identity token nor a key (NS012)",
                    std::string(ci::token_remedy(kind)));
    }
    if (const auto* variable = std::get_if<ci::TokenVariable>(&*signing.source)) {
      const sigstore::TokenClaims claims = while_doing(
          "reading " + variable->name, [&] { return claims_of(world, trim(variable->token)); });
      if (const auto why = why_not_public(world, signing, claims)) {
        return refuse(std::move(signing), why->message() + " (NS012)", why->hint());
      }
    }
  }
  // Files are read now, so that what is wrong with them is said; the network is asked only by those
  // who do sign.
  if (options.get("trusted-root") || options.get("signing-config")) {
    signing.material = material_for(world, options);
    plan_of(world, signing, signing.material->config);
  }
  return signing;
}

std::string who_signs(const World& world, const Signing& signing) {
  if (!signing.able()) {
    return "not possible: " + signing.why_not;
  }
  if (signing.key) {
    return "by the key " + signing.key->public_key().id().to_string();
  }
  try {
    const Secret token = token_of(world, signing.source.value());
    const sigstore::TokenClaims claims = claims_of(world, token.text());
    if (const auto why = why_not_public(world, signing, claims)) {
      throw UsageError(*why);
    }
    return fmt::format("by {} ({})", printable(challenge_of(claims)), printable(claims.issuer));
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    if (signing.mode == SignMode::always) {
      // Not a NetworkError: those are the registry's, and a run may go on without it.
      throw Error(error.message(), error.hint(), error.code());
    }
    return "in doubt: " + error.message();
  }
}

sigstore::SignedBundle sign(const World& world,
                            const Signing& signing,
                            const sigstore::Signable& content) {
  return while_doing("signing", [&] {
    const SigningMaterial material =
        signing.material ? *signing.material : material_for(world, Options());
    const sigstore::SigningWorld services{material.root, world.transport, world.clock};
    const sigstore::SigningPlan plan = plan_of(world, signing, material.config);
    if (signing.key) {
      return sigstore::sign(content, *signing.key, plan, services);
    }
    const Secret token = token_of(world, signing.source.value());
    if (const auto why = why_not_public(world, signing, claims_of(world, token.text()))) {
      throw UsageError(*why);
    }
    return sigstore::sign(content, token.text(), plan, services);
  });
}

std::optional<sigstore::SignedBundle> sign_if_able(const World& world,
                                                   const Signing& signing,
                                                   const sigstore::Signable& content) {
  if (!signing.able()) {
    return std::nullopt;
  }
  try {
    sigstore::SignedBundle made = sign(world, signing, content);
    world.progress.step(describe(made.facts));
    return made;
  } catch (const Interrupted&) {
    throw;
  } catch (const IntegrityError&) {
    throw;
  } catch (const Error& error) {
    if (signing.mode == SignMode::always) {
      throw Error(error.message(), error.hint(), error.code());
    }
    tell(world,
         ci::Level::warning,
         fmt::format("nothing is signed: {} (NS012){}{}",
                     error.message(),
                     error.hint().empty() ? "" : "; ",
                     error.hint()));
    return std::nullopt;
  }
}

std::string describe(const sigstore::Verified& facts) {
  std::string text = facts.signer() ? fmt::format("signed by {} ({})",
                                                  printable(facts.signer()->subject),
                                                  printable(facts.signer()->issuer))
                                    : std::string("signed by the key");
  for (const sigstore::LoggedIn& log : facts.logs()) {
    text += fmt::format(", entry {} of {}", log.index, printable(log.log));
  }
  return text;
}

}  // namespace seed::app
