#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace seed::sigstore {

/// `2022-12-31T23:59:59.999Z`, the form of proto3 JSON and of TUF (RFC 3339 §5.6 in UTC, years 1970
/// to 9999). A fraction is left out: it never makes a time later. Throws FormatError.
Time parse_rfc3339(std::string_view text);

/// 2022-12-31T23:59:59Z
std::string to_rfc3339(Time time);

}  // namespace seed::sigstore
