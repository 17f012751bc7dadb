#include "sigstore/rfc3339.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

using namespace seed;
using namespace seed::sigstore;

// Seconds as `date -d TEXT +%s` prints them.
TEST_CASE("a time is read with and without a fraction, which is left out") {
  CHECK(parse_rfc3339("2022-12-31T23:59:59Z") == Time(std::chrono::seconds(1672531199)));
  CHECK(parse_rfc3339("2022-12-31T23:59:59.999Z") == Time(std::chrono::seconds(1672531199)));
  CHECK(parse_rfc3339("2024-02-29T00:00:00.123456789Z") == Time(std::chrono::seconds(1709164800)));
  CHECK(parse_rfc3339("1970-01-01T00:00:00Z") == Time());
}

TEST_CASE("a time that is printed reads as itself") {
  for (const char* text : {"1970-01-01T00:00:00Z",
                           "2021-01-12T11:53:27Z",
                           "2024-02-29T23:59:59Z",
                           "9999-12-31T23:59:59Z"}) {
    CHECK(to_rfc3339(parse_rfc3339(text)) == text);
  }
  // date -u -d @N +%Y-%m-%dT%H:%M:%SZ
  CHECK(to_rfc3339(Time(std::chrono::seconds(951782400))) == "2000-02-29T00:00:00Z");
  CHECK(to_rfc3339(Time(std::chrono::seconds(1767225661))) == "2026-01-01T00:01:01Z");
  CHECK(to_rfc3339(Time(std::chrono::seconds(-1))) == "1969-12-31T23:59:59Z");
}

TEST_CASE("what is no time in UTC is refused with its value") {
  for (const char* text : {"",
                           "2022-12-31",
                           "2022-12-31T23:59:59",
                           "2022-12-31T23:59:59+00:00",
                           "2022-12-31t23:59:59z",
                           "2022-12-31 23:59:59Z",
                           "2022-12-31T23:59:59.Z",
                           "2022-12-31T23:59:59.1234567890Z",
                           "2022-12-31T23:59:59,5Z",
                           "2022-12-31T23:59:59ZZ",
                           "2022-13-01T00:00:00Z",
                           "2023-02-29T00:00:00Z",
                           "2022-12-31T24:00:00Z",
                           "2022-12-31T23:60:00Z",
                           "2022-12-31T23:59:60Z",
                           "1969-12-31T23:59:59Z",
                           "+022-12-31T23:59:59Z"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_rfc3339(text), FormatError);
  }
  try {
    parse_rfc3339("yesterday");
  } catch (const FormatError& error) {
    CHECK(error.message() == "'yesterday' is not a time such as 2022-12-31T23:59:59Z");
  }
}
