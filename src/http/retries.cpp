#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <random>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "http/http.hpp"

namespace seed::http {
namespace {

using std::chrono::milliseconds;

bool worth_another_try(int status) {
  constexpr std::array kStatuses{408, 425, 429, 500, 502, 503, 504};
  return std::find(kStatuses.begin(), kStatuses.end(), status) != kStatuses.end();
}

std::function<double()> system_jitter() {
  return
      [engine = std::minstd_rand(std::random_device{}()),
       spread = std::uniform_real_distribution<double>(0, 1)]() mutable { return spread(engine); };
}

class Retrying final : public Transport {
 public:
  Retrying(Transport& inner, RetryPolicy policy, Clock& clock)
      : inner_(inner), policy_(std::move(policy)), clock_(clock) {
    if (!policy_.jitter) {
      policy_.jitter = system_jitter();
    }
  }

  Response send(const Request& request) override {
    Time::duration failing{0};
    for (unsigned attempt = 1;; ++attempt) {
      const Time started = clock_.now();
      const auto last = [&] {
        failing += clock_.now() - started;
        return attempt >= policy_.attempts || failing >= policy_.patience;
      };
      std::optional<std::string> retry_after;
      try {
        Response response = inner_.send(request);
        if (!worth_another_try(response.status) || last()) {
          return response;
        }
        retry_after = response.headers.get("Retry-After");
      } catch (const NetworkError& error) {
        if (!error.retryable() || request.on_fault == OnFault::pass_on || last()) {
          throw;
        }
      }
      clock_.sleep(wait(attempt, retry_after));
    }
  }

 private:
  milliseconds wait(unsigned attempt, const std::optional<std::string>& retry_after) {
    if (retry_after) {
      if (const auto asked = parse_retry_after(*retry_after, clock_.now())) {
        return std::min<milliseconds>(*asked, policy_.cap * 3);
      }
    }
    const std::scoped_lock lock(mutex_);
    const double ceiling = std::min(
        std::ldexp(static_cast<double>(policy_.base.count()), static_cast<int>(attempt) - 1),
        static_cast<double>(policy_.cap.count()));
    return milliseconds(static_cast<milliseconds::rep>(ceiling * policy_.jitter()));
  }

  Transport& inner_;
  RetryPolicy policy_;
  Clock& clock_;
  std::mutex mutex_;
};

std::optional<unsigned> two_digits(std::string_view text, std::size_t at, unsigned limit) {
  const auto value = parse_size(text.substr(at, 2));
  return value && *value <= limit ? std::optional(static_cast<unsigned>(*value)) : std::nullopt;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7); read by hand, for strptime asks the locale.
std::optional<Time> parse_http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT") || text[7] != ' ' ||
      text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':') {
    return std::nullopt;
  }
  const auto month = kMonths.find(text.substr(8, 3));
  const auto day = two_digits(text, 5, 31);
  const auto year = parse_size(text.substr(12, 4));
  const auto hour = two_digits(text, 17, 23);
  const auto minute = two_digits(text, 20, 59);
  const auto second = two_digits(text, 23, 60);
  if (month == std::string_view::npos || month % 3 != 0 || !day || !year || !hour || !minute ||
      !second) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                         std::chrono::day(*day)};
  if (!date.ok()) {
    return std::nullopt;
  }
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
         std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

}  // namespace

std::optional<std::chrono::seconds> parse_retry_after(std::string_view text, Time now) {
  text = trim(text);
  constexpr std::uint64_t kDay = 86'400;
  if (const auto seconds = parse_size(text)) {
    return std::chrono::seconds(std::min(*seconds, kDay));
  }
  if (const auto date = parse_http_date(text)) {
    return std::clamp(*date - now, std::chrono::seconds(0), std::chrono::seconds(kDay));
  }
  return std::nullopt;
}

std::unique_ptr<Transport> with_retries(Transport& inner, RetryPolicy policy, Clock& clock) {
  return std::make_unique<Retrying>(inner, std::move(policy), clock);
}

}  // namespace seed::http
