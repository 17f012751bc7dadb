#include "app/pull_request.hpp"

#include <fmt/core.h>

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::app {
namespace {

/// Gives the answers in order, and keeps what was asked.
class Script final : public http::Transport {
 public:
  http::Response send(const http::Request& request) override {
    asked.push_back(fmt::format("{} {} {}",
                                request.method == http::Method::post ? "POST" : "GET",
                                request.url,
                                request.body ? read_all(request.body(), 1 << 20) : ""));
    authorization = request.headers.get("Authorization").value_or("");
    const auto [status, body] = answers.at(asked.size() - 1);
    return {.status = status, .headers = {{"Location", "https://evil.test/"}}, .body = body};
  }

  std::vector<std::pair<int, std::string>> answers;
  std::vector<std::string> asked;
  std::string authorization;
};

const PullRequest kWanted{.api = "https://api.test",
                          .repository = "acme/app",
                          .token = "t0ken",
                          .head = "nix-seed-update/main",
                          .base = "x&y=\"1\"",
                          .title = "title",
                          .body = "body"};

std::string pull(const std::string& head, const std::string& base, const std::string& owner) {
  return fmt::format(R"({{"html_url":"https://host.test/{0}/pull/1","head":{{"ref":"{1}",)"
                     R"("repo":{{"full_name":"{0}"}}}},"base":{{"ref":"{2}"}}}})",
                     owner,
                     head,
                     base);
}

const std::string kOurs = pull("nix-seed-update/main", R"(x&y=\"1\")", "Acme/App");

TEST_CASE("a pull request is opened where there is none") {
  Script script;
  script.answers = {{200, "[]"}, {201, kOurs}};
  const OpenedPullRequest opened = open_pull_request(script, kWanted);
  CHECK(opened.is_new);
  CHECK(opened.url == "https://host.test/Acme/App/pull/1");
  CHECK(script.authorization == "Bearer t0ken");
  CHECK(script.asked ==
        std::vector<std::string>{
            "GET https://api.test/repos/acme/app/pulls?state=open&per_page=100&base=x%26y%3D%221%22"
            "&head=acme%3Anix-seed-update%2Fmain ",
            R"(POST https://api.test/repos/acme/app/pulls {"base":"x&y=\"1\"","body":"body",)"
            R"("head":"nix-seed-update/main","title":"title"})"});
}

TEST_CASE("an open pull request is used again, and others are not taken for it") {
  Script script;
  script.answers = {{200,
                     "[" + pull("nix-seed-update/main", "main", "acme/app") + "," +
                         pull("other", R"(x&y=\"1\")", "acme/app") + "," +
                         pull("nix-seed-update/main", R"(x&y=\"1\")", "fork/app") +
                         R"(,{"head":{"repo":null}},7,)" + kOurs + "]"}};
  const OpenedPullRequest opened = open_pull_request(script, kWanted);
  CHECK_FALSE(opened.is_new);
  CHECK(opened.url == "https://host.test/Acme/App/pull/1");
}

TEST_CASE("a pull request that another run opened meanwhile is used") {
  Script script;
  script.answers = {{200, "[]"}, {422, "{}"}, {200, "[" + kOurs + "]"}};
  CHECK_FALSE(open_pull_request(script, kWanted).is_new);
}

TEST_CASE("what the host answers instead is an error, and redirects are not followed") {
  const auto [answers,
              reason] = GENERATE(table<std::vector<std::pair<int, std::string>>, std::string>({
      {{{302, ""}}, "no pull request could be opened in acme/app: status 302"},
      {{{200, "[]"}, {403, R"({"message":"not\n::error::permitted"})"}},
       "no pull request could be opened in acme/app: status 403 "
       R"((not\x0a::error::permitted))"},
      {{{200, "[]"}, {422, "[]"}, {200, "[]"}},
       "no pull request could be opened in acme/app: status 422"},
      {{{200, "<html>"}}, "list of pull requests: not JSON at byte 1"},
      {{{200, "[]"}, {201, R"({"html_url":"javascript:x"})"}}, "the answer names no pull request"},
  }));
  Script script;
  script.answers = answers;
  CHECK_THROWS_WITH(open_pull_request(script, kWanted), reason);
  CHECK(script.asked.size() == answers.size());
}

TEST_CASE("a repository's name that is none is not put into a URL") {
  Script script;
  PullRequest wanted = kWanted;
  for (const char* name : {"", "acme", "acme/app/../x", "a/b?c", "a/b#", "a/", "/b", "a/b c"}) {
    wanted.repository = name;
    CHECK_THROWS_AS(open_pull_request(script, wanted), UsageError);
  }
  CHECK(script.asked.empty());
}

}  // namespace
}  // namespace seed::app
