#include "sigstore/rfc3339.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::sigstore {
namespace {

constexpr std::string_view kForm = "0000-00-00T00:00:00";
constexpr std::size_t kMaxFractionDigits = 9;  // protobuf's Timestamp

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Whether `text` has a digit for each 0 of kForm and its other characters as they are.
bool has_form(std::string_view text) {
  return std::ranges::equal(
      text, kForm, [](char c, char form) { return form == '0' ? is_digit(c) : c == form; });
}

bool is_fraction(std::string_view text) {
  return text.size() >= 2 && text.size() <= 1 + kMaxFractionDigits && text[0] == '.' &&
         std::ranges::all_of(text.substr(1), is_digit);
}

unsigned number(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits) {
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

}  // namespace

Time parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto refuse = [&]() -> Time {
    throw FormatError(
        fmt::format("'{}' is not a time such as 2022-12-31T23:59:59Z", printable(text, 60)));
  };
  if (text.size() <= kForm.size() || !text.ends_with('Z')) {
    return refuse();
  }
  const std::string_view fraction = text.substr(kForm.size(), text.size() - kForm.size() - 1);
  if (!has_form(text.substr(0, kForm.size())) || (!fraction.empty() && !is_fraction(fraction))) {
    return refuse();
  }
  const auto field = [&](std::size_t from, std::size_t count) {
    return number(text.substr(from, count));
  };
  const year_month_day date{
      year(static_cast<int>(field(0, 4))), month(field(5, 2)), day(field(8, 2))};
  const unsigned h = field(11, 2);
  const unsigned m = field(14, 2);
  const unsigned s = field(17, 2);
  if (!date.ok() || date.year() < year(1970) || h > 23 || m > 59 || s > 59) {
    return refuse();
  }
  return sys_days(date) + hours(h) + minutes(m) + seconds(s);
}

std::string to_rfc3339(Time time) {
  using namespace std::chrono;
  const auto day_start = floor<days>(time);
  const year_month_day date(day_start);
  const hh_mm_ss clock(time - day_start);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                     static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()),
                     clock.hours().count(),
                     clock.minutes().count(),
                     clock.seconds().count());
}

}  // namespace seed::sigstore
