#include "nix/derivation.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::nix {
namespace {

TEST_CASE("a derivation that Nix wrote is read") {
  const Derivation drv = parse_derivation(test::golden("nix/app.drv"));
  const Derivation expected{
      .outputs = {{"dev", "/nix/store/1vpwpzx3fslrp91hagmz237s92nmj2mq-app-dev"},
                  {"out", "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-app"}},
      .input_drvs = {{StorePath::parse("/nix/store/zfr39wpnwpnlgfhika4fg62s5lfiq29l-lib.drv"),
                      {"out"}}},
      .input_srcs = {StorePath::parse("/nix/store/nbi5zjr76wvd3kymbcb4l14z66b0fazy-source")},
      .system = "x86_64-linux",
      .builder = "/bin/sh"};
  CHECK(drv == expected);
}

constexpr const char* kInput = "/nix/store/zfr39wpnwpnlgfhika4fg62s5lfiq29l-lib.drv";

TEST_CASE("a derivation without inputs and with an output not known yet is read") {
  const Derivation drv =
      parse_derivation(R"(Derive([("out","","r:sha256","")],[],[],"s","b",[],[]))");
  CHECK(drv.outputs == std::map<std::string, std::string>{{"out", ""}});
  CHECK(drv.input_drvs.empty());
  CHECK(drv.system == "s");
}

TEST_CASE("escapes in strings are undone") {
  CHECK(parse_derivation(R"(Derive([],[],[],"a\n\r\t\"\\\x","b",[],[]))").system == "a\n\r\t\"\\x");
}

TEST_CASE("a dynamic derivation wants the outputs that are derivations themselves") {
  const std::string text = std::string(R"(DrvWithVersion("xp-dyn-drv",[],[(")") + kInput +
                           R"(",(["out"],[("drv",(["lib"],[("x",["y"])]))]))],[],"s","b",[],[]))";
  const Derivation drv = parse_derivation(text);
  CHECK(drv.input_drvs.at(StorePath::parse(kInput)) == std::set<std::string>{"drv", "out"});
}

TEST_CASE("the plain form has no outputs of outputs") {
  const std::string text =
      std::string(R"(Derive([],[(")") + kInput + R"(",(["out"],[]))],[],"s","b",[],[]))";
  CHECK_THROWS_AS(parse_derivation(text), FormatError);
}

TEST_CASE("outputs of outputs are bounded in depth") {
  std::string text = std::string(R"(DrvWithVersion("xp-dyn-drv",[],[(")") + kInput + "\",";
  for (int i = 0; i < 100'000; ++i) {
    text += R"(([],[("x",)";
  }
  CHECK_THROWS_WITH(parse_derivation(text), Catch::Contains("nested too deeply"));
}

TEST_CASE("every truncation of a derivation is refused") {
  const std::string whole = test::golden("nix/app.drv");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_THROWS_AS(parse_derivation(std::string_view(whole).substr(0, size)), FormatError);
  }
}

TEST_CASE("a derivation with one thing wrong is refused") {
  const auto text = GENERATE(
      as<std::string>{},
      R"(Derive([],[],[],"s","b",[],[])x)",
      R"(Derive([],[],[],"s","b",[],[]) )",
      R"(DrvWithVersion("2",[],[],[],"s","b",[],[]))",
      R"(Derive([,],[],[],"s","b",[],[]))",
      R"(Derive([("out","/tmp/x","","")],[],[],"s","b",[],[]))",
      R"(Derive([("out","","",""),("out","","","")],[],[],"s","b",[],[]))",
      R"(Derive([],[],["/nix/store/short"],"s","b",[],[]))",
      R"(Derive([],[("/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-app",["out"])],[],"s","b",[],[]))",
      R"(Derive([],[],[],"s","b",[],[("k")]))",
      R"({"name":"x"})");
  CHECK_THROWS_AS(parse_derivation(text), FormatError);
}

}  // namespace
}  // namespace seed::nix
