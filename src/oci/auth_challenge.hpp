#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace seed::oci {

/// One challenge of a WWW-Authenticate header (RFC 9110 §11.6.1).
struct Challenge {
  std::string scheme;                         ///< lower case: bearer, basic
  std::map<std::string, std::string> params;  ///< names in lower case; a token68 has none
  bool operator==(const Challenge&) const = default;
};

/// Every challenge of one header value, in order. Throws FormatError.
std::vector<Challenge> parse_challenges(std::string_view header);

}  // namespace seed::oci
