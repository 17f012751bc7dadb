#include "nix/nixpkgs_tools.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::nix {

TEST_CASE("tools of nixpkgs are read with the outputs to realise") {
  const std::string a = "/nix/store/" + std::string(32, 'a');
  const NixpkgsTools tools = parse_nixpkgs_tools(
      R"({"config":{"version":1,"nix":")" + a + R"(-nix","tools":[")" + a +
      R"(-bash"],"cacert":null},"wanted":[{"drv":")" + a +
      R"(-bash.drv","output":"out"},{"drv":")" + a + R"(-bash.drv","output":"bin"}]})");

  CHECK(tools.config.nix == a + "-nix");
  CHECK(tools.config.tools == std::vector{a + "-bash"});
  CHECK(tools.wanted == std::map<StorePath, std::set<std::string>>{
                            {StorePath::parse(a + "-bash.drv"), {"bin", "out"}}});
}

TEST_CASE("tools of nixpkgs with a part missing are refused") {
  CHECK_THROWS_AS(parse_nixpkgs_tools("{}"), FormatError);
  CHECK_THROWS_AS(parse_nixpkgs_tools(R"({"config":{},"wanted":[]})"), FormatError);
  CHECK_THROWS_AS(parse_nixpkgs_tools(R"({"config":{"version":1,"nix":"x"},"wanted":[{}]})"),
                  FormatError);
}

TEST_CASE("only an input of the flake itself counts as its nixpkgs") {
  const auto lock = [](const std::string& inputs) {
    return parse_flake_lock(R"({"nodes":{"root":{"inputs":)" + inputs +
                            R"(},"n":{"locked":{"type":"path","path":"/n","narHash":"sha256-x"}}},)"
                            R"("root":"root","version":7})");
  };
  CHECK(has_nixpkgs(lock(R"({"nixpkgs":"n"})")));
  CHECK_FALSE(has_nixpkgs(lock(R"({"packages":"n"})")));
}

}  // namespace seed::nix
