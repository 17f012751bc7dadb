#include "base/error.hpp"
#include "http/http.hpp"
#include "support/catch.hpp"

using namespace seed;
using http::Url;

TEST_CASE("a URL is read into its parts and printed in one spelling") {
  const Url url = Url::parse("HTTPS://GHCR.io:443/v2/o/r?n=1#top");
  CHECK(url.scheme == "https");
  CHECK(url.host == "ghcr.io");
  CHECK(url.port == 443);
  CHECK(url.target == "/v2/o/r?n=1");
  CHECK(url.to_string() == "https://ghcr.io/v2/o/r?n=1");
  CHECK(Url::parse("http://h").to_string() == "http://h/");
  CHECK(Url::parse("http://h?x").to_string() == "http://h/?x");
  CHECK(Url::parse("http://h:5000/").authority() == "h:5000");
  CHECK(Url::parse("http://[::1]:5000/a").host == "::1");
  CHECK(Url::parse("http://[::1]:5000/a").to_string() == "http://[::1]:5000/a");
}

TEST_CASE("a URL with one thing wrong is refused") {
  for (const char* text : {"",
                           "ghcr.io/v2",
                           "ftp://h/",
                           "file:///etc/passwd",
                           "http://",
                           "http:///path",
                           "http://user@h/",
                           "http://user:secret@h/",
                           "http://h:0/",
                           "http://h:65536/",
                           "http://h:1x/",
                           "http://[::1/",
                           "http://[h]/",
                           "http://[::1]x/",
                           "http://h h/",
                           "http://h/a b",
                           "http://h/\r\nX: y",
                           "http://h\\@evil/",
                           "http://h%41/"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(Url::parse(text), FormatError);
  }
}

TEST_CASE("a location is resolved as RFC 3986 says") {
  const Url base = Url::parse("https://h:5000/v2/a/blobs/uploads/1?_state=x");
  const auto at = [&](const char* location) { return http::resolve(base, location).to_string(); };
  CHECK(at("/v2/b?_state=y%2Fz") == "https://h:5000/v2/b?_state=y%2Fz");
  CHECK(at("2?q=/../") == "https://h:5000/v2/a/blobs/uploads/2?q=/../");
  CHECK(at("../x") == "https://h:5000/v2/a/blobs/x");
  CHECK(at("../../../../../x/./y/..") == "https://h:5000/x/");
  CHECK(at("?n=2") == "https://h:5000/v2/a/blobs/uploads/1?n=2");
  CHECK(at("") == base.to_string());
  CHECK(at("//other/x") == "https://other/x");
  CHECK(at("http://other:80/x") == "http://other/x");
  CHECK(at("/v2/a:b@c") == "https://h:5000/v2/a:b@c");
  CHECK_THROWS_AS(at("javascript:alert(1)"), FormatError);
}

TEST_CASE("only scheme, host and port make an origin") {
  const Url url = Url::parse("https://h/a");
  CHECK(url.same_origin(Url::parse("https://H:443/b?c")));
  CHECK_FALSE(url.same_origin(Url::parse("http://h:443/a")));
  CHECK_FALSE(url.same_origin(Url::parse("https://h:444/a")));
  CHECK_FALSE(url.same_origin(Url::parse("https://h.evil/a")));
}

TEST_CASE("a shown URL has no user, no query values and no fragment") {
  CHECK(http::redact_url("https://u:p@h:1/a/b?sig=SECRET&x=1#f") ==
        "https://h:1/a/b?sig=...&x=...");
  CHECK(http::redact_url("https://h/a?SECRET") == "https://h/a?...");
  CHECK(http::redact_url("https://h/a") == "https://h/a");
  CHECK(http::redact_url("https://h/a@b") == "https://h/a@b");
  CHECK(http::redact_url("nonsense") == "nonsense");
}

TEST_CASE("header names compare without case and keep their order") {
  http::Headers headers{{"Accept", "a"}, {"ACCEPT", "b"}};
  CHECK(headers.get("accept") == "a");
  headers.set("accept", "c");
  headers.add("X", "1");
  CHECK(headers.entries() ==
        std::vector<std::pair<std::string, std::string>>{{"accept", "c"}, {"X", "1"}});
  headers.remove("x");
  CHECK_FALSE(headers.get("X"));
}

TEST_CASE("a size is digits only") {
  CHECK(http::parse_size("0") == 0U);
  CHECK(http::parse_size("9999999999999999999") == 9999999999999999999ULL);
  for (const char* text : {"", "-1", "+1", " 1", "1 ", "0x1", "10000000000000000000"}) {
    CHECK_FALSE(http::parse_size(text));
  }
}

TEST_CASE("only loopback is spoken to without TLS") {
  for (const char* host : {"localhost", "127.0.0.1", "127.255.1.2", "::1"}) {
    CHECK(http::is_loopback(host));
  }
  for (const char* host : {"127.0.0.1.evil.test", "128.0.0.1", "127.0.0", "localhost.test", ""}) {
    CHECK_FALSE(http::is_loopback(host));
  }
}
