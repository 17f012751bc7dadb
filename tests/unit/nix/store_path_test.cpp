#include "nix/store_path.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"

namespace seed::nix {
namespace {

constexpr const char* kApp = "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-app";
const std::string kHash = "5nwqivkl2mkcblqbndsxic915qd1hz7f";

TEST_CASE("a store path is taken apart and put together again") {
  const StorePath path = StorePath::parse(kApp);
  CHECK(path.to_string() == kApp);
  CHECK(path.base_name() == "5nwqivkl2mkcblqbndsxic915qd1hz7f-app");
  CHECK(path.hash_part() == kHash);
  CHECK(path.name() == "app");
  CHECK_FALSE(path.is_derivation());
  CHECK(StorePath::from_base_name(path.base_name()) == path);
  CHECK(StorePath::from_base_name(kHash + "-app.drv").is_derivation());
}

TEST_CASE("a name may have every character that Nix allows and 211 of them") {
  CHECK(StorePath::from_base_name(kHash + "-aZ09+-._?=").name() == "aZ09+-._?=");
  CHECK(StorePath::from_base_name(kHash + "-" + std::string(211, 'x')).name().size() == 211);
  CHECK(StorePath::from_base_name(kHash + "-.hidden").name() == ".hidden");
}

TEST_CASE("what is not a store path is refused") {
  const auto text = GENERATE(as<std::string>{},
                             "",
                             "/nix/store",
                             "/nix/store/",
                             "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f",
                             "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-",
                             "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-app/bin",
                             "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-app/",
                             "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f_app",
                             "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hze-app",
                             "/nix/store/enwqivkl2mkcblqbndsxic915qd1hz7f-app",
                             "/nix/store/5NWQIVKL2MKCBLQBNDSXIC915QD1HZ7F-app",
                             "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-a b",
                             "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-a\n",
                             "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-.",
                             "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-..",
                             "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-..-x",
                             "/nix/store//5nwqivkl2mkcblqbndsxic915qd1hz7f-app",
                             "/nix/storex/5nwqivkl2mkcblqbndsxic915qd1hz7f-app",
                             "5nwqivkl2mkcblqbndsxic915qd1hz7f-app");
  CHECK_THROWS_AS(StorePath::parse(text), FormatError);
  CHECK_THROWS_AS(StorePath::from_base_name(kHash + "-" + std::string(212, 'x')), FormatError);
  CHECK_THROWS_AS(StorePath::from_base_name(std::string(200, 'x') + "\0y"), FormatError);
}

TEST_CASE("a refused path is named with its control characters made visible") {
  try {
    StorePath::parse("/nix/store/\x1b[31m");
    FAIL();
  } catch (const FormatError& error) {
    CHECK(error.message() ==
          "'/nix/store/\\x1b[31m' is not a store path: it does not start with 32 base-32 digits "
          "and a dash");
  }
}

}  // namespace
}  // namespace seed::nix
