#include "sigstore/identity.hpp"

#include <array>
#include <utility>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::sigstore {
namespace {

using Wanted = std::optional<std::string> Identity::*;
using Found = std::string Signer::*;

struct Field {
  std::string_view name;
  Wanted wanted;
  Found found;
};

constexpr std::array kFields{
    Field{"subject", &Identity::subject, &Signer::subject},
    Field{"build signer", &Identity::build_signer_uri, &Signer::build_signer_uri},
    Field{"runner environment", &Identity::runner_environment, &Signer::runner_environment},
    Field{"source repository", &Identity::source_repository_uri, &Signer::source_repository_uri},
    Field{"source digest", &Identity::source_digest, &Signer::source_digest},
    Field{"source ref", &Identity::source_ref, &Signer::source_ref},
    Field{"source repository id", &Identity::source_repository_id, &Signer::source_repository_id},
    Field{"source owner", &Identity::source_owner_uri, &Signer::source_owner_uri},
    Field{"source owner id", &Identity::source_owner_id, &Signer::source_owner_id},
    Field{"build trigger", &Identity::build_trigger, &Signer::build_trigger}};

std::string difference(std::string_view name, std::string_view found, std::string_view wanted) {
  return found.empty()
             ? fmt::format("the certificate has no {}", name)
             : fmt::format(
                   "{} is '{}', not '{}'", name, printable(found, 400), printable(wanted, 400));
}

}  // namespace

void check_identity(const Identity& identity) {
  if (identity.issuer.empty()) {
    throw UsageError("an identity has no issuer",
                     "name who vouches for it, e.g. https://token.actions.githubusercontent.com");
  }
  // An empty text would be equal to what a certificate does not have.
  for (const Field& field : kFields) {
    if ((identity.*field.wanted).has_value() && (identity.*field.wanted)->empty()) {
      throw UsageError(fmt::format("an identity has an empty {}", field.name),
                       "give its value, or leave it out");
    }
  }
  if (!identity.subject && !identity.source_repository_uri && !identity.source_repository_id) {
    throw UsageError(
        fmt::format("an identity names only the issuer '{}'", printable(identity.issuer)),
        "name the subject of the certificate or the source repository, or anyone would do");
  }
}

std::optional<std::string> mismatch(const Identity& identity, const Signer& signer) {
  if (identity.issuer.empty() || identity.issuer != signer.issuer) {
    return difference("issuer", signer.issuer, identity.issuer);
  }
  for (const Field& field : kFields) {
    const std::optional<std::string>& wanted = identity.*field.wanted;
    if (wanted && (wanted->empty() || *wanted != signer.*field.found)) {
      return difference(field.name, signer.*field.found, *wanted);
    }
  }
  return std::nullopt;
}

}  // namespace seed::sigstore
