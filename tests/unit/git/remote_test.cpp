#include "git/remote.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::git {
namespace {

/// Gives one answer, whatever is asked.
class OneAnswer final : public http::Transport {
 public:
  explicit OneAnswer(http::Response response) : response_(std::move(response)) {}

  http::Response send(const http::Request& request) override {
    asked.push_back(request.url);
    authorization = request.headers.get("Authorization");
    http::Response response = response_;
    if (response.status == 200 && request.into) {
      request.into(response)(bytes_of(response.body));
      response.body.clear();
    }
    return response;
  }

  std::vector<std::string> asked;
  std::optional<std::string> authorization;

 private:
  http::Response response_;
};

const Login kLogin{.user = "x-access-token", .token = "s3cret-token"};

TEST_CASE("a redirect is refused, and nothing is sent to where it leads") {
  OneAnswer transport(
      {.status = 301, .headers = {{"Location", "https://evil.test/x?token=1"}}, .body = {}});
  Remote remote(transport, "https://git.test/a/b.git/", kLogin);
  CHECK(remote.name() == "https://git.test/a/b.git");
  CHECK_THROWS_WITH(remote.refs(),
                    Catch::StartsWith("reading the refs of https://git.test/a/b.git: it redirects "
                                      "to https://evil.test/x") &&
                        Catch::EndsWith(", where a token must not follow"));
  CHECK(transport.asked ==
        std::vector<std::string>{"https://git.test/a/b.git/info/refs?service=git-receive-pack"});
  CHECK_THROWS_AS(remote.fetch({.wants = {}, .filter = {}}, [] { return Sink(); }), NetworkError);
  CHECK_THROWS_AS(remote.push({}, {}, "PACK", {}), NetworkError);
  CHECK(transport.asked.size() == 3);
}

TEST_CASE("a login goes along, and no login where there is none") {
  OneAnswer transport({.status = 403, .headers = {}, .body = "no"});
  CHECK_THROWS_AS(Remote(transport, "https://git.test/a", kLogin).refs(), NetworkError);
  CHECK(transport.authorization == "Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0LXRva2Vu");
  CHECK_THROWS_AS(Remote(transport, "https://git.test/a", {}).refs(), NetworkError);
  CHECK_FALSE(transport.authorization.has_value());
}

TEST_CASE("a server that says our token back does not get it into a message") {
  OneAnswer transport({.status = 403,
                       .headers = {},
                       .body = "bad s3cret-token, eC1hY2Nlc3MtdG9rZW46czNjcmV0LXRva2Vu\n::x::"});
  CHECK_THROWS_WITH(
      Remote(transport, "https://git.test/a", kLogin).refs(),
      R"(reading the refs of https://git.test/a: status 403 (bad ***, ***\x0a::x::))");
}

TEST_CASE("only https is spoken to, and http to loopback") {
  OneAnswer transport({.status = 200, .headers = {}, .body = {}});
  for (const char* url : {"https://git.test/a", "http://127.0.0.1:8080/a", "http://localhost/a"}) {
    CHECK_NOTHROW(Remote(transport, url, kLogin));
  }
  for (const char* url : {"http://git.test/a",
                          "git@git.test:a/b",
                          "ssh://git.test/a",
                          "https://user:pw@git.test/a",
                          "/srv/a.git",
                          "file:///srv/a.git",
                          ""}) {
    INFO(url);
    CHECK_THROWS_AS(Remote(transport, url, kLogin), UsageError);
  }
}

TEST_CASE("what is no git server is told apart") {
  OneAnswer transport({.status = 200, .headers = {}, .body = "<html>"});
  Remote remote(transport, "https://git.test/a", kLogin);
  CHECK_THROWS_AS(remote.refs(), FormatError);
  CHECK_THROWS_AS(remote.fetch({.wants = {}, .filter = {}}, [] { return Sink(); }), FormatError);
  CHECK_THROWS_AS(remote.push({}, {}, "PACK", {}), FormatError);
}

}  // namespace
}  // namespace seed::git
