#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "sigstore/trusted_root.hpp"

namespace seed::sigstore {

/// A service that signers use (sigstore_trustroot.proto, Service).
struct Service {
  std::string url;  ///< a base; of timestamp authorities, the whole URL. https, or loopback
  unsigned major_api_version = 0;
  Validity validity;
  std::string operator_name;  ///< `operator`, or the URL's host

  bool operator==(const Service&) const = default;
};

enum class Selector { any, all, exact };

/// How many of several services a signer is to use.
struct ServiceConfig {
  Selector selector = Selector::any;
  unsigned count = 0;  ///< of Selector::exact

  bool operator==(const ServiceConfig&) const = default;
};

/// sigstore_trustroot.proto, SigningConfig v0.2: where a signer goes.
struct SigningConfig {
  std::vector<Service> certificate_authorities;
  std::vector<Service> oidc_providers;
  std::vector<Service> logs;
  std::vector<Service> timestamp_authorities;
  ServiceConfig log_config;
  ServiceConfig timestamp_config;

  bool operator==(const SigningConfig&) const = default;
};

/// Throws FormatError: another version, a URL that would carry a token or signature in the clear, a
/// selector this reader does not know, too many services.
SigningConfig parse_signing_config(std::string_view json);

/// `needed` of `services` are to be used, the first ones; where one fails, the next may stand in.
struct Selection {
  std::vector<Service> services;
  std::size_t needed = 0;
};

/// The rules of the message's comments: of the services in service at `now` those of the highest
/// version in `supported` (versions are never mixed), the newest first, one for each operator, and
/// as many as `config` says. `what` names them in the UsageError where there are too few: "log".
Selection select_services(std::span<const Service> services,
                          const ServiceConfig& config,
                          std::span<const unsigned> supported,
                          Time now,
                          std::string_view what);

/// Where Sigstore's public services were when this program was built; docs/trust.md says from what.
const SigningConfig& embedded_signing_config();

}  // namespace seed::sigstore
