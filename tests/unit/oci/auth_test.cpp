#include "base/error.hpp"
#include "oci/auth_challenge.hpp"
#include "oci/link_header.hpp"
#include "oci/registry_error.hpp"
#include "support/catch.hpp"

using namespace seed;
using oci::Challenge;

TEST_CASE("challenges are read with quoted strings, several to a header") {
  // ghcr.io, 2024
  CHECK(oci::parse_challenges("Bearer realm=\"https://ghcr.io/token\",service=\"ghcr.io\","
                              "scope=\"repository:user/image:pull\"") ==
        std::vector<Challenge>{{"bearer",
                                {{"realm", "https://ghcr.io/token"},
                                 {"service", "ghcr.io"},
                                 {"scope", "repository:user/image:pull"}}}});
  CHECK(oci::parse_challenges("Basic realm=\"a \\\"b\\\", c\" , BEARER Realm = x, error=y,,") ==
        std::vector<Challenge>{{"basic", {{"realm", "a \"b\", c"}}},
                               {"bearer", {{"realm", "x"}, {"error", "y"}}}});
  CHECK(oci::parse_challenges("Negotiate, Negotiate YWJj=, Basic") ==
        std::vector<Challenge>{{"negotiate", {}}, {"negotiate", {}}, {"basic", {}}});
  CHECK(oci::parse_challenges("").empty());
}

TEST_CASE("a malformed challenge is refused") {
  for (const char* text : {"=", "Bearer realm=\"open", "Bearer realm=\"a\\", "Basic/x", "\"x\""}) {
    CAPTURE(text);
    CHECK_THROWS_AS(oci::parse_challenges(text), FormatError);
  }
  CHECK_THROWS_AS(oci::parse_challenges(std::string(9000, 'a')), FormatError);
}

TEST_CASE("the next page is the link whose relation is next") {
  CHECK(oci::next_link("</v2/a/tags/list?n=1&last=b>; rel=\"next\"") ==
        "/v2/a/tags/list?n=1&last=b");
  CHECK(oci::next_link("<a>; rel=prev; title=\"x, <b>; rel=next\", <c>;REL=\"last Next\"") == "c");
  CHECK_FALSE(oci::next_link(""));
  CHECK_FALSE(oci::next_link("<a>; rel=\"prev\""));
  CHECK_FALSE(oci::next_link("<a; rel=\"next\""));
  CHECK_FALSE(oci::next_link("a; rel=\"next\""));
}

TEST_CASE("what a registry says is told on one line") {
  CHECK(oci::describe_errors(R"({"errors":[{"code":"DENIED","message":"no\nway","detail":{}}]})") ==
        "DENIED: no\\x0away");
  CHECK(oci::describe_errors(R"({"errors":[{"code":"A"},{"message":"b"},7]})") == "A; b");
  CHECK(oci::describe_errors("404 page not found\n") == "404 page not found");
  CHECK(oci::describe_errors("<html>").empty());
  CHECK(oci::describe_errors("{\"a\":1}").empty());
  CHECK(oci::has_code(oci::parse_registry_errors(R"({"errors":[{"code":"X"}]})"), "X"));
}
