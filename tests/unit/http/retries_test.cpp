#include <functional>

#include "base/error.hpp"
#include "http/http.hpp"
#include "support/catch.hpp"
#include "support/fake_registry.hpp"

using namespace seed;
using std::chrono::milliseconds;

namespace {

/// Answers by script; a status of 0 is a broken connection, -1 one that can't be retried.
class Scripted final : public http::Transport {
 public:
  explicit Scripted(std::vector<int> statuses) : statuses_(std::move(statuses)) {}

  http::Response send(const http::Request& request) override {
    bodies.push_back(request.body ? read_all(request.body(), 1000) : "");
    const int status = statuses_.at(next_++);
    if (clock != nullptr) {
      clock->advance(takes);
    }
    if (status <= 0) {
      throw NetworkError("broken", {}, 0, status == 0);
    }
    http::Response response;
    response.status = status;
    if (!retry_after.empty()) {
      response.headers.set("Retry-After", retry_after);
    }
    return response;
  }

  std::vector<std::string> bodies;
  std::string retry_after;
  test::FakeClock* clock = nullptr;
  std::chrono::seconds takes{0};

 private:
  std::vector<int> statuses_;
  std::size_t next_ = 0;
};

struct Tried {
  int status = 0;  ///< 0: an error was thrown
  std::vector<milliseconds> sleeps;
  std::vector<std::string> bodies;
};

Tried run(std::vector<int> statuses,
          const std::string& retry_after = {},
          http::OnFault on_fault = http::OnFault::retry) {
  test::FakeClock clock;
  Scripted inner(std::move(statuses));
  inner.retry_after = retry_after;
  const auto transport =
      http::with_retries(inner, {.attempts = 4, .jitter = [] { return 0.5; }}, clock);
  http::Request request;
  request.on_fault = on_fault;
  request.body = [] { return source_of("body"); };
  request.body_size_bytes = 4;
  Tried tried;
  try {
    tried.status = transport->send(request).status;
  } catch (const NetworkError&) {
  }
  tried.sleeps = clock.sleeps();
  tried.bodies = inner.bodies;
  return tried;
}

}  // namespace

TEST_CASE("a request is sent again, whole, after faults that pass") {
  for (const int status : {0, 408, 425, 429, 500, 502, 503, 504}) {
    CAPTURE(status);
    const Tried tried = run({status, status, 200});
    CHECK(tried.status == 200);
    CHECK(tried.sleeps == std::vector<milliseconds>{milliseconds(125), milliseconds(250)});
    CHECK(tried.bodies == std::vector<std::string>{"body", "body", "body"});
  }
}

TEST_CASE("an answer that will stay the same is passed on at once") {
  for (const int status : {200, 201, 307, 400, 401, 403, 404, 416, 501}) {
    CAPTURE(status);
    CHECK(run({status}).status == status);
  }
  CHECK(run({-1}).bodies.size() == 1);
}

TEST_CASE("the last answer or fault is passed on as it is") {
  CHECK(run({503, 503, 503, 503}).status == 503);
  const Tried tried = run({0, 0, 0, 0});
  CHECK(tried.status == 0);
  CHECK(tried.bodies.size() == 4);
}

TEST_CASE("faults of a request that says so are passed on, statuses are still retried") {
  CHECK(run({0}, {}, http::OnFault::pass_on).bodies.size() == 1);
  CHECK(run({503, 200}, {}, http::OnFault::pass_on).status == 200);
}

TEST_CASE("who lets two timeouts pass is not waited for a third time") {
  test::FakeClock clock;
  Scripted inner({0, 0, 200});
  inner.clock = &clock;
  inner.takes = std::chrono::seconds(30);
  const auto transport = http::with_retries(inner, {}, clock);
  CHECK_THROWS_WITH(transport->send({}), "broken");
  CHECK(inner.bodies.size() == 2);
}

TEST_CASE("Retry-After is obeyed up to three times the cap") {
  CHECK(run({429, 200}, "7").sleeps == std::vector<milliseconds>{milliseconds(7000)});
  CHECK(run({429, 200}, "86400").sleeps == std::vector<milliseconds>{milliseconds(60'000)});
  // The fake clock starts at 1700000000.
  CHECK(run({429, 200}, "Tue, 14 Nov 2023 22:13:25 GMT").sleeps ==
        std::vector<milliseconds>{milliseconds(5000)});
  CHECK(run({429, 200}, "soon").sleeps == std::vector<milliseconds>{milliseconds(125)});
}

TEST_CASE("Retry-After is seconds or an IMF-fixdate") {
  // date -d @784111777: the example of RFC 9110
  const Time now{std::chrono::seconds(784111700)};
  CHECK(http::parse_retry_after(" 120 ", now) == std::chrono::seconds(120));
  CHECK(http::parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now) == std::chrono::seconds(77));
  CHECK(http::parse_retry_after("Sun, 06 Nov 1993 08:49:37 GMT", now) == std::chrono::seconds(0));
  for (const char* text : {"",
                           "-1",
                           "1.5",
                           "Sun, 06 Nov 1994 08:49:37 UTC",
                           "Sun, 31 Feb 1994 08:49:37 GMT",
                           "Sun, 06 ovD 1994 08:49:37 GMT",
                           "Sun, 06 Nov 1994 24:49:37 GMT",
                           "Sunday, 06-Nov-94 08:49:37 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(http::parse_retry_after(text, now));
  }
}
