#include "trust/github_attestations.hpp"

#include <map>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::trust {
namespace {

const Digest kSubject = Digest::of("image");

/// Answers by URL, and keeps what it was asked.
class FakeWeb final : public http::Transport {
 public:
  http::Response send(const http::Request& request) override {
    requests.push_back(request);
    if (request.body) {
      bodies.push_back(read_all(request.body(), 1 << 20));
    }
    const auto found = answers.find(request.url);
    if (found == answers.end()) {
      return {.status = 404};
    }
    return found->second;
  }

  std::map<std::string, http::Response> answers;
  std::vector<http::Request> requests;
  std::vector<std::string> bodies;
};

const std::string kList =
    "https://api.github.com/repos/octo/app/attestations/" + kSubject.to_string() + "?per_page=100";

http::Response answer(std::string body, http::Headers headers = {}) {
  return {.status = 200, .headers = std::move(headers), .body = std::move(body)};
}

Discovery look(FakeWeb& web) {
  Discovery discovery;
  look_in_github(web, {.name = "octo/app", .token = "ghs_secret"}, kSubject, discovery);
  REQUIRE(discovery.looked.size() == 1);
  return discovery;
}

}  // namespace

TEST_CASE("bundles that GitHub gives with its list are candidates") {
  FakeWeb web;
  web.answers[kList] = answer(R"({"attestations":[{"bundle":{"b":1,"a":2},"repository_id":7}]})");
  const Discovery discovery = look(web);
  REQUIRE(discovery.candidates.size() == 1);
  CHECK(discovery.candidates.front().bytes == R"({"a":2,"b":1})");
  CHECK(discovery.complete());
  CHECK(to_text(discovery) == "looked in https://api.github.com/repos/octo/app/attestations/" +
                                  kSubject.to_string() + " (GitHub's attestations): 1 bundle\n");
  CHECK(web.requests.front().headers.get("Authorization") == "Bearer ghs_secret");
  CHECK(web.requests.front().headers.get("X-GitHub-Api-Version") == "2022-11-28");
}

TEST_CASE("a bundle that is kept elsewhere is fetched without the token, compressed or not") {
  FakeWeb web;
  web.answers[kList] = answer(
      R"({"attestations":[{"bundle":null,"bundle_url":"https://blobs.test/1.json.sn?sas=x"},)"
      R"({"bundle_url":"https://blobs.test/2.json"}]})");
  const auto block = from_hex("02047b7d");
  web.answers["https://blobs.test/1.json.sn?sas=x"] = answer(std::string(text_of(*block)));
  web.answers["https://blobs.test/2.json"] = {.status = 302,
                                              .headers = {{"Location", "https://other.test/2"}}};
  web.answers["https://other.test/2"] = answer(R"({"two":2})");
  const Discovery discovery = look(web);
  REQUIRE(discovery.candidates.size() == 2);
  CHECK(discovery.candidates.at(0).bytes == "{}");
  CHECK(discovery.candidates.at(0).from == "https://blobs.test/1.json.sn?sas=...");
  CHECK(discovery.candidates.at(1).bytes == R"({"two":2})");
  for (const http::Request& request : web.requests) {
    INFO(request.url);
    CHECK(request.headers.get("Authorization").has_value() ==
          request.url.starts_with("https://api.github.com/"));
  }
}

TEST_CASE("all pages of GitHub's list are read, and none elsewhere") {
  FakeWeb web;
  const std::string second = "https://api.github.com/repositories/7/attestations/x?after=2";
  web.answers[kList] = answer(R"({"attestations":[{"bundle":{"n":1}}]})",
                              {{"Link", "<" + second + ">; rel=\"next\""}});
  web.answers[second] = answer(R"({"attestations":[{"bundle":{"n":2}}]})",
                               {{"Link", "<https://evil.test/>; rel=\"next\""}});
  const Discovery discovery = look(web);
  CHECK(discovery.candidates.size() == 2);
  CHECK_FALSE(discovery.complete());
  CHECK(discovery.looked.front().failure == "GitHub's list goes on at another server");
  CHECK(web.requests.size() == 2);
}

TEST_CASE("a list without end is given up") {
  FakeWeb web;
  web.answers[kList] =
      answer(R"({"attestations":[]})", {{"Link", "<" + kList + ">; rel=\"next\""}});
  CHECK(look(web).looked.front().failure == "GitHub lists without end");
}

TEST_CASE("no attestations and no answer are two things") {
  FakeWeb web;
  CHECK(look(web).complete());
  web.answers[kList] = {.status = 403};
  const Discovery refused = look(web);
  CHECK_FALSE(refused.complete());
  CHECK(refused.looked.front().failure.starts_with("GitHub answers 403 to https://api.github.com"));
  web.answers[kList] = {.status = 500};
  CHECK_FALSE(look(web).complete());
  web.answers[kList] = answer("<html>");
  CHECK_FALSE(look(web).complete());
}

TEST_CASE("one bundle that can't be read does not keep others out") {
  FakeWeb web;
  web.answers[kList] = answer(
      R"({"attestations":[{"bundle_url":"https://blobs.test/gone"},{"bundle_url":"http://blobs.test/plain"},)"
      R"({"bundle_url":"https://blobs.test/garbage"},{"bundle":{"n":1}}]})");
  web.answers["https://blobs.test/garbage"] = answer("garbage");
  const Discovery discovery = look(web);
  CHECK(discovery.candidates.size() == 1);
  CHECK_FALSE(discovery.complete());
  CHECK(discovery.looked.front().failure == "the bundle is at blobs.test, without TLS");
  REQUIRE(discovery.ignored.size() == 1);
  CHECK(discovery.ignored.front().claims);
}

TEST_CASE("a renamed repository is followed within the API, and nowhere else") {
  FakeWeb web;
  web.answers[kList] = {.status = 301,
                        .headers = {{"Location", "https://api.github.com/repositories/7/x"}}};
  web.answers["https://api.github.com/repositories/7/x"] =
      answer(R"({"attestations":[{"bundle":{"n":1}}]})");
  CHECK(look(web).candidates.size() == 1);
  web.answers[kList] = {.status = 301, .headers = {{"Location", "https://evil.test/x"}}};
  web.requests.clear();
  CHECK_FALSE(look(web).complete());
  CHECK(web.requests.size() == 1);
}

TEST_CASE("what is no list of attestations is refused") {
  for (const char* text : {"[]",
                           "{}",
                           R"({"attestations":{}})",
                           R"({"attestations":[7]})",
                           R"({"attestations":[{}]})",
                           R"({"attestations":[{"bundle":null,"bundle_url":null}]})",
                           R"({"attestations":[{"bundle":{"a":1,"a":2}}]})"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_github_attestations(text), FormatError);
  }
}

TEST_CASE("a repository's name can't lead to another path") {
  FakeWeb web;
  Discovery discovery;
  for (const char* name : {"", "octo", "octo/app/x", "../app", "octo/..", "octo/a?b", "octo/a b"}) {
    INFO(name);
    CHECK_THROWS_AS(look_in_github(web, {.name = name, .token = {}}, kSubject, discovery),
                    UsageError);
  }
  CHECK(web.requests.empty());
}

TEST_CASE("a bundle is given to GitHub as it is") {
  FakeWeb web;
  const GithubRepository repository{.name = "octo/app", .token = "ghs_secret"};
  const std::string url = "https://api.github.com/repos/octo/app/attestations";
  web.answers[url] = {.status = 201, .body = R"({"id":42})"};
  CHECK(store_in_github(web, repository, R"({"z":1,"a":2})") == "42");
  CHECK(web.bodies.back() == R"({"bundle":{"z":1,"a":2}})");
  web.answers[url] = {.status = 403};
  try {
    store_in_github(web, repository, "{}");
    FAIL("no error");
  } catch (const NetworkError& error) {
    CHECK(error.message() == "GitHub answers 403 to " + url);
    CHECK(error.hint().find("attestations: read") != std::string::npos);
  }
  web.answers[url] = {.status = 201, .body = "{}"};
  CHECK_THROWS_AS(store_in_github(web, repository, "{}"), FormatError);
}

}  // namespace seed::trust
