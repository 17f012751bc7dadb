#include "base/error.hpp"
#include "ci/actions_event.hpp"
#include "support/catch.hpp"

namespace seed::ci {
namespace {

std::string judge(std::string_view event_name, std::string_view text) {
  const ActionsEvent event = parse_event(text);
  return why_untrusted(event_name, "ada", "acme/app", &event);
}

}  // namespace

TEST_CASE("a pull request of a branch of the same repository is trusted, whatever the case") {
  CHECK(judge("pull_request", R"({"pull_request":{"head":{"repo":{"full_name":"Acme/App"}}}})")
            .empty());
  CHECK(judge("push", "{}").empty());
  CHECK(judge("schedule", R"({"schedule":"0 0 * * *"})").empty());
}

TEST_CASE("a pull request of a fork is untrusted, and so is one whose fork is gone") {
  CHECK(judge("pull_request", R"({"pull_request":{"head":{"repo":{"full_name":"eve/app"}}}})") ==
        "the pull request is of the fork eve/app");
  CHECK(judge("pull_request", R"({"pull_request":{"head":{"repo":null}}})") ==
        "the repository of the pull request is gone");
  CHECK(judge("pull_request", "{}") == "the repository of the pull request is gone");
  CHECK(judge("pull_request_review",
              R"({"pull_request":{"head":{"repo":{"full_name":"eve/app"}}}})") ==
        "the pull request is of the fork eve/app");
}

TEST_CASE("a fork's name can't say more than a name") {
  CHECK(judge("pull_request",
              R"({"pull_request":{"head":{"repo":{"full_name":"eve/a\n::error::x"}}}})") ==
        "the pull request is of the fork eve/a\\x0a::error::x");
}

TEST_CASE("pull_request_target and Dependabot are untrusted, whatever the event says") {
  const ActionsEvent own{.pull_request = true, .head_repository = "acme/app"};
  CHECK(why_untrusted("pull_request_target", "ada", "acme/app", &own) ==
        "pull_request_target gives a token that can write to code of a pull request");
  CHECK(why_untrusted("push", "dependabot[bot]", "acme/app", nullptr) ==
        "Dependabot started it, whose token can only read");
}

TEST_CASE("an event that can't be read makes untrusted what it would have had to speak for") {
  CHECK(why_untrusted("pull_request", "ada", "acme/app", nullptr) ==
        "the event 'pull_request' can't be read, so nothing says whose code this is");
  CHECK(why_untrusted("push", "ada", "acme/app", nullptr).empty());
}

TEST_CASE("what a pull request caused is judged as the pull request is") {
  constexpr auto kFork =
      R"({"workflow_run":{"event":"pull_request","head_repository":{"full_name":"eve/app"}}})";
  constexpr auto kPush =
      R"({"workflow_run":{"event":"push","head_repository":{"full_name":"acme/app"}}})";
  CHECK(judge("workflow_run", kFork) == "the pull request is of the fork eve/app");
  CHECK(judge("workflow_run", kPush).empty());
  CHECK(judge("issue_comment", R"({"issue":{"pull_request":{}}})") ==
        "a comment on a pull request started it");
  CHECK(judge("issue_comment", R"({"issue":{}})").empty());
}

TEST_CASE("an event of another form is refused") {
  for (const char* text : {"",
                           "[]",
                           "{",
                           R"({"pull_request":1})",
                           R"({"pull_request":{"head":[]}})",
                           R"({"pull_request":{"head":{"repo":{"full_name":1}}}})",
                           R"({"pull_request":{},"pull_request":{}})"}) {
    CHECK_THROWS_AS(parse_event(text), FormatError);
  }
  CHECK_THROWS_AS(parse_event(std::string((25 << 20) + 1, ' ')), FormatError);
}

}  // namespace seed::ci
