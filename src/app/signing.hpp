#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/world.hpp"
#include "ci/token_source.hpp"
#include "sigstore/sign.hpp"

namespace seed::app {

// Options of every command that signs, beside those of app/trust_material.hpp.
inline constexpr OptionSpec kSignOption{
    "sign", "WHEN", "auto (default: with a token or key), always, or never"};
inline constexpr OptionSpec kSigningKeyOption{
    "signing-key", "FILE", "sign with this private key; password: NIX_SEED_KEY_PASSWORD"};
inline constexpr OptionSpec kSignerOption{
    "signer", "COMMAND", "sign with a program that has the key (PKCS #11, KMS)"};
inline constexpr OptionSpec kRekorOption{
    "rekor", "VERSIONS", "log in Rekor 1, 2 or 1,2; with a key also none"};

enum class SignMode { automatic, always, never };

/// Whom to believe, and where to sign.
struct SigningMaterial {
  sigstore::TrustedRoot root;
  sigstore::SigningConfig config;
};

/// What a run signs with, found before any work.
struct Signing {
  SignMode mode = SignMode::automatic;
  std::string why_not;  ///< nothing is signed, and this is why; empty: something is
  std::string remedy;
  std::unique_ptr<sigstore::SigningKey> key;  ///< else `source`
  std::optional<ci::TokenSource> source;
  std::vector<unsigned> log_versions;
  bool public_services = true;              ///< no --signing-config
  std::optional<SigningMaterial> material;  ///< absent: Sigstore's own, got once it is needed

  bool able() const { return why_not.empty(); }
};

/// Reads keys, asks signers, and finds the token's source, so that what is missing or wrong is said
/// before any work. `untrusted`: why the run must not sign; empty: it may. `otherwise`: what holds
/// without --sign. Throws UsageError where `always` can't be had, and for what is wrong in either
/// case.
Signing prepare_signing(const World& world,
                        const Options& options,
                        const std::string& untrusted,
                        SignMode otherwise = SignMode::automatic);

/// Whom a signature is going to be by, for people; asks the host for a token, so that a right that
/// is missing shows before long work. With --sign always what fails is thrown.
std::string who_signs(const World& world, const Signing& signing);

/// Signs. Throws where it can't be.
sigstore::SignedBundle sign(const World& world,
                            const Signing& signing,
                            const sigstore::Signable& content);

/// The same, but with --sign auto a failure is a warning: a seed without a signature is worth more
/// than none. Only what a service answered and does not verify ends the run in either case. Nothing
/// where nothing is signed.
std::optional<sigstore::SignedBundle> sign_if_able(const World& world,
                                                   const Signing& signing,
                                                   const sigstore::Signable& content);

/// "signed by NAME (ISSUER), entry N of LOG"
std::string describe(const sigstore::Verified& facts);

}  // namespace seed::app
