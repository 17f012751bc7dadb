#include "nix/seed_config.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::nix {

TEST_CASE("the value of lib.mkSeed is read whole") {
  const SeedConfig config = parse_seed_config(
      R"({"version":1,"nix":"/nix/store/n","tools":["/nix/store/t"],"contents":["/nix/store/c"],
          "cacert":"/nix/store/ca/b.crt","loader":"/nix/store/g/ld.so","libs":["/nix/store/g/lib"],
          "config":"cores = 1\n","offline":false,"excludeInputs":["docs"],"name":"app","later":{}})");
  CHECK(config == SeedConfig{.nix = "/nix/store/n",
                             .tools = {"/nix/store/t"},
                             .contents = {"/nix/store/c"},
                             .cacert = "/nix/store/ca/b.crt",
                             .loader = "/nix/store/g/ld.so",
                             .libs = {"/nix/store/g/lib"},
                             .config = "cores = 1\n",
                             .offline = false,
                             .exclude_inputs = {"docs"},
                             .name = "app"});
}

TEST_CASE("members that are absent, null or empty are left out") {
  const SeedConfig config = parse_seed_config(
      R"({"version":1,"nix":"/nix/store/n","tools":null,"cacert":null,"loader":"","name":null})");
  CHECK(config == SeedConfig{.nix = "/nix/store/n",
                             .tools = {},
                             .contents = {},
                             .cacert = {},
                             .loader = {},
                             .libs = {},
                             .config = {},
                             .exclude_inputs = {},
                             .name = {}});
}

TEST_CASE("a member with one thing wrong is named") {
  const auto [member, wanted, text] = GENERATE(table<std::string, std::string, std::string>({
      {"nixSeed", "an object", "["},
      {"nixSeed", "an object", "[]"},
      {"nix", "a store path", R"({"version":1})"},
      {"nix", "a string", R"({"version":1,"nix":7})"},
      {"tools", "a list", R"({"version":1,"nix":"n","tools":"t"})"},
      {"tools", "a list of strings", R"({"version":1,"nix":"n","tools":["t",1]})"},
      {"cacert", "a string", R"({"version":1,"nix":"n","cacert":[]})"},
      {"config", "a string", R"({"version":1,"nix":"n","config":false})"},
      {"offline", "true or false", R"({"version":1,"nix":"n","offline":1})"},
      {"excludeInputs", "a list", R"({"version":1,"nix":"n","excludeInputs":{}})"},
  }));
  CHECK_THROWS_WITH(parse_seed_config(text),
                    "'" + member + "' of the flake's seed attribute is not " + wanted);
}

TEST_CASE("a seed attribute of another version is refused") {
  CHECK_THROWS_WITH(parse_seed_config(R"({"nix":"n"})"),
                    "the flake's seed attribute has version none, this program reads 1");
  CHECK_THROWS_WITH(parse_seed_config(R"({"version":"1","nix":"n"})"),
                    "the flake's seed attribute has version \"1\", this program reads 1");
  CHECK_THROWS_AS(parse_seed_config(R"({"version":2,"nix":"n"})"), FormatError);
}

}  // namespace seed::nix
