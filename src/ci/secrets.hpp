#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ci/host.hpp"

namespace seed::ci {

/// Shorter values are no secret that anyone could keep, and redacting them would eat words.
inline constexpr std::size_t kShortestSecret = 5;

/// Every credential that the environment holds: variables that are called one (…_TOKEN,
/// …_PASSWORD, …_SECRET and the like), and those inside URLs, DOCKER_AUTH_CONFIG, NIX_CONFIG and
/// the headers of OpenTelemetry; logins also as HTTP basic authentication spells them. Longest
/// first.
std::vector<std::string> secrets_of(const os::Environment& environment,
                                    std::span<const Login> logins = {});

/// Takes secrets out of text.
class Redactor {
 public:
  Redactor() = default;
  explicit Redactor(std::vector<std::string> secrets);

  /// With *** in the place of each secret.
  std::string operator()(std::string_view text) const;

  bool finds_one_in(std::string_view text) const;

 private:
  std::vector<std::string> secrets_;  ///< longest first
};

}  // namespace seed::ci
