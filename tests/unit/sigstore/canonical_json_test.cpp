#include "sigstore/canonical_json.hpp"

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "support/catch.hpp"

using namespace seed;
using namespace seed::sigstore;

namespace {

std::string canonical(const char* text) {
  return canonical_json(nlohmann::json::parse(text));
}

}  // namespace

// As securesystemslib 1.6.0 prints them: encode_canonical(json.loads(TEXT)).
TEST_CASE("canonical JSON is OLPC's") {
  CHECK(canonical(R"({"b":[1,-2,true,false,null,{}],"a":"x","B":{"":[]}})") ==
        R"({"B":{"":[]},"a":"x","b":[1,-2,true,false,null,{}]})");
  CHECK(canonical(R"(["a\"b\\c\nd\u0001/\u00e9"])") == "[\"a\\\"b\\\\c\nd\x01/\xc3\xa9\"]");
  CHECK(canonical(R"([18446744073709551615,-9223372036854775808])") ==
        "[18446744073709551615,-9223372036854775808]");
}

TEST_CASE("canonical JSON has no fractions") {
  for (const char* text : {"[1.5]", "[1.0]", "[1e3]", "[18446744073709551616]"}) {
    INFO(text);
    CHECK_THROWS_AS(canonical(text), FormatError);
  }
}
