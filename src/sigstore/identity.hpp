#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace seed::sigstore {

/// What a Fulcio certificate says of whoever it was made for: the extensions of fulcio's
/// oid-info.md (1.3.6.1.4.1.57264.1.N) and the one subject alternative name. Empty: absent.
struct Signer {
  std::string issuer;                 ///< .8, or .1 where there is no .8
  std::string subject;                ///< the SAN: a URI, an e-mail address or a name
  std::string build_signer_uri;       ///< .9
  std::string build_signer_digest;    ///< .10
  std::string runner_environment;     ///< .11
  std::string source_repository_uri;  ///< .12
  std::string source_digest;          ///< .13, the commit
  std::string source_ref;             ///< .14
  std::string source_repository_id;   ///< .15
  std::string source_owner_uri;       ///< .16
  std::string source_owner_id;        ///< .17
  std::string build_config_uri;       ///< .18
  std::string build_config_digest;    ///< .19
  std::string build_trigger;          ///< .20
  std::string run_invocation_uri;     ///< .21
  std::string visibility;             ///< .22
  std::string environment;            ///< .23
  std::string token_subject;          ///< .24

  bool operator==(const Signer&) const = default;
};

/// Who is believed: each field that is set must be equal, byte for byte. There are no patterns: an
/// unanchored one has been everybody's mistake once. `issuer` is required, and so is one of
/// `subject`, `source_repository_uri` and `source_repository_id`, or anyone whom the issuer knows
/// would do.
struct Identity {
  std::string issuer;
  std::optional<std::string> subject;
  std::optional<std::string> build_signer_uri;
  std::optional<std::string> runner_environment;
  std::optional<std::string> source_repository_uri;
  std::optional<std::string> source_digest;
  std::optional<std::string> source_ref;
  std::optional<std::string> source_repository_id;
  std::optional<std::string> source_owner_uri;
  std::optional<std::string> source_owner_id;
  std::optional<std::string> build_trigger;

  bool operator==(const Identity&) const = default;
};

/// Throws UsageError naming the field that an identity lacks.
void check_identity(const Identity& identity);

/// Why `signer` is not `identity` ("issuer is 'a', not 'b'"); nothing where it is.
std::optional<std::string> mismatch(const Identity& identity, const Signer& signer);

}  // namespace seed::sigstore
