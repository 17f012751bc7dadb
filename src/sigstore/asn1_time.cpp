#include "sigstore/asn1_time.hpp"

#include <ctime>

#include <openssl/asn1.h>
#include <openssl/err.h>

#include "base/error.hpp"

namespace seed::sigstore {

Time time_of(const asn1_string_st* time) {
  using namespace std::chrono;
  std::tm parts{};
  const bool good = time != nullptr && ASN1_TIME_to_tm(time, &parts) == 1;
  ERR_clear_error();
  const year_month_day date{year(parts.tm_year + 1900),
                            month(static_cast<unsigned>(parts.tm_mon + 1)),
                            day(static_cast<unsigned>(parts.tm_mday))};
  if (!good || !date.ok()) {
    throw FormatError("a time is neither UTCTime nor GeneralizedTime");
  }
  return sys_days(date) + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
}

}  // namespace seed::sigstore
