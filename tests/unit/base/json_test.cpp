#include "base/json.hpp"

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed {
namespace {

std::string refusal(const std::string& text, std::size_t max_depth = 4) {
  try {
    read_strict_json(text, 1 << 20, max_depth, "the note");
  } catch (const FormatError& error) {
    return error.message();
  }
  return "taken";
}

TEST_CASE("read_strict_json takes objects and lists, and nothing that readers disagree on") {
  CHECK(read_strict_json(R"({"a":[1,{"a":2}]})", 100, 3, "it")["a"][1]["a"] == 2);
  CHECK(read_strict_json("[[]]", 100, 2, "it").size() == 1);
  CHECK(refusal(R"({"a":1,"b":{"a":1},"a":2})") == "the note has 'a' twice");
  CHECK(refusal(R"([{"a":1,"\u0061":1}])") == "the note has 'a' twice");
  CHECK(refusal("[[[[[]]]]]") == "the note has more than 4 levels");
  CHECK(refusal("[1") == "the note is not JSON: '[1'");
  CHECK(refusal("[1] 2") == "the note is not JSON: '[1] 2'");
  CHECK(refusal("[1e999]") == "the note is not JSON: '[1e999]'");
  CHECK(refusal("\"text\"") == "the note is not a JSON object");
  CHECK(refusal(std::string(2 << 20, ' ')) ==
        "the note has 2097152 bytes; at most 1048576 are read");
}

// With time quadratic in the members this test would not end within an hour.
TEST_CASE("read_strict_json reads many small values in time linear in their number") {
  std::string text = "[{}";
  while (text.size() < 3'000'000) {
    text += ",{}";
  }
  CHECK(read_strict_json(text + "]", 4 << 20, 2, "it").size() == 1'000'000);
}

}  // namespace
}  // namespace seed
