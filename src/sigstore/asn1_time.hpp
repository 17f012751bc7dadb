#pragma once

#include "base/clock.hpp"

struct asn1_string_st;

namespace seed::sigstore {

/// A UTCTime or GeneralizedTime; a fraction of a second is left out. Throws FormatError.
Time time_of(const asn1_string_st* time);

}  // namespace seed::sigstore
