#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "http/http.hpp"
#include "sigstore/private_key.hpp"
#include "sigstore/signing_config.hpp"
#include "sigstore/trusted_root.hpp"
#include "sigstore/verify.hpp"

namespace seed::sigstore {

/// An in-toto statement, signed as it is, in an envelope.
struct StatementText {
  std::string_view json;
};

/// A file, signed as it is.
struct FileContent {
  std::string_view bytes;
};

using Signable = std::variant<StatementText, FileContent>;

/// Where a signature goes on its way into a bundle.
struct SigningPlan {
  Selection certificate_authorities;  ///< none where a key signs
  Selection timestamp_authorities;
  std::vector<Selection> logs;  ///< the services of each are of one version
};

/// Who signs: somebody with a token, or a key.
enum class SignedBy { identity, key };

/// `log_versions`: of Rekor, an entry in each; empty: the highest that `config` has; with `key`,
/// {0} is none. Throws UsageError where the config has no service for it at `now`.
SigningPlan plan_signing(const SigningConfig& config,
                         SignedBy signed_by,
                         std::span<const unsigned> log_versions,
                         Time now);

/// What signing needs of the world.
struct SigningWorld {
  const TrustedRoot& root;
  http::Transport& transport;  ///< tries again by itself
  Clock& clock;
};

/// A bundle that was verified with this signer's own identity or key, and what is in it. There is
/// no other way to have one.
struct SignedBundle {
  std::string json;
  Verified facts;
};

/// How long a signature may take, all tries together: less than a certificate is good for.
inline constexpr std::chrono::minutes kSigningTime{4};

/// With a key made for this signature alone, certified for whom `token` was made for: token, key,
/// certificate (checked before it is used), signature, timestamps, logs, verification. Throws
/// UsageError for a token that won't do, NetworkError, and IntegrityError where any service
/// answered with what does not verify.
SignedBundle sign(const Signable& content,
                  std::string_view token,
                  const SigningPlan& plan,
                  const SigningWorld& world);

/// With a key that verifiers know: no certificate, and no time unless a log says it.
SignedBundle sign(const Signable& content,
                  SigningKey& key,
                  const SigningPlan& plan,
                  const SigningWorld& world);

}  // namespace seed::sigstore
