#include "app/options.hpp"

#include <array>

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::app {
namespace {

constexpr std::array kSpecs{
    OptionSpec{"registry", "REF", ""},
    OptionSpec{"layers", "N", ""},
    OptionSpec{"require-seed", "", ""},
    OptionSpec{"json", "", ""},
};

Options parse(const std::vector<std::string>& arguments, const os::Environment& environment = {}) {
  return Options::parse("seed", kSpecs, arguments, environment);
}

/// "message | hint" of the UsageError that the arguments end in.
std::string refusal(const std::vector<std::string>& arguments,
                    const os::Environment& environment = {}) {
  try {
    parse(arguments, environment);
  } catch (const UsageError& error) {
    return error.message() + " | " + error.hint();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a flag wins over its variable, and an empty variable is none") {
  const os::Environment environment{{"NIX_SEED_REGISTRY", "a.example/b"}, {"NIX_SEED_JSON", ""}};
  CHECK(parse({}, environment).get("registry") == "a.example/b");
  CHECK(parse({"--registry", "c.example/d"}, environment).get("registry") == "c.example/d");
  CHECK(parse({"--registry=c.example/d"}, environment).get("registry") == "c.example/d");
  CHECK_FALSE(parse({}, environment).flag("json"));
  CHECK(parse({"--json"}, environment).flag("json"));
}

TEST_CASE("what is no option is an argument, wherever it stands") {
  const Options options = parse({".#a", "--json", ".#b", "--", "--c"});
  CHECK(options.positional() == std::vector<std::string>{".#a", ".#b", "--c"});
}

TEST_CASE("a yes/no variable says yes or no, and nothing else") {
  for (const char* yes : {"1", "true", "YES", "on"}) {
    CHECK(parse({}, {{"NIX_SEED_REQUIRE_SEED", yes}}).flag("require-seed"));
  }
  for (const char* no : {"0", "false", "No", "off"}) {
    CHECK_FALSE(parse({}, {{"NIX_SEED_REQUIRE_SEED", no}}).flag("require-seed"));
  }
  CHECK(refusal({}, {{"NIX_SEED_REQUIRE_SEED", "maybe"}}) ==
        "NIX_SEED_REQUIRE_SEED is 'maybe' | say true or false");
}

TEST_CASE("a mistyped option is told which one it may have been") {
  CHECK(refusal({"--registri", "x"}) ==
        "seed: there is no option '--registri' | did you mean '--registry'?");
  CHECK(refusal({"--jsn"}) == "seed: there is no option '--jsn' | did you mean '--json'?");
  CHECK(refusal({"-json"}) == "seed: there is no option '-json' | did you mean '--json'?");
  CHECK(refusal({"--verbose"}) ==
        "seed: there is no option '--verbose' | 'nix-seed seed --help' lists its options");
  CHECK(refusal({"-v"}) ==
        "seed: there is no option '-v' | 'nix-seed seed --help' lists its options");
  CHECK(refusal({"--positional", "x"}) ==
        "seed: there is no option '--positional' | 'nix-seed seed --help' lists its options");
}

TEST_CASE("an option without its value, and a value where none belongs, are refused") {
  CHECK(refusal({"--registry"}) == "seed: --registry lacks its value | write --registry REF");
  CHECK(refusal({"--registry", "--json"}) ==
        "seed: --registry lacks its value | write --registry REF");
  CHECK(refusal({"--json=no"}) ==
        "seed: --json takes no value | write --json alone, or leave it out");
}

TEST_CASE("a number outside its bounds is refused with the value") {
  for (const char* value : {"0", "97", "-1", "3x", "99999999999999999999", " 3"}) {
    try {
      parse({"--layers=" + std::string(value)}).number("layers", 1, 96);
      FAIL();
    } catch (const UsageError& error) {
      CHECK(error.message() == "--layers is '" + std::string(value) + "'");
      CHECK(error.hint() == "give a whole number from 1 to 96");
    }
  }
  CHECK(parse({"--layers", "96"}).number("layers", 1, 96) == 96U);
  CHECK_FALSE(parse({}).number("layers", 1, 96));
}

TEST_CASE("the nearest word is found among few, and none among strangers") {
  const std::vector<std::string_view> words{"seed", "build", "plan", "tag", "inspect"};
  CHECK(nearest("sed", words) == "seed");
  CHECK(nearest("buidl", words) == "build");
  CHECK(nearest("inspct", words) == "inspect");
  CHECK_FALSE(nearest("verify", words));
  CHECK_FALSE(nearest("", words));
  CHECK_FALSE(nearest(std::string(100000, 'x'), words));
}

}  // namespace seed::app
