#include "nix/closure.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::nix {
namespace {

PathInfo info(const std::string& base_name, const std::set<std::string>& references = {}) {
  PathInfo result{.path = StorePath::from_base_name(base_name),
                  .nar_hash = Digest::of(base_name),
                  .nar_size = base_name.size(),
                  .references = {}};
  for (const std::string& reference : references) {
    result.references.insert(StorePath::from_base_name(reference));
  }
  return result;
}

const std::string kA = std::string(32, 'a') + "-a";
const std::string kB = std::string(32, 'b') + "-b";
const std::string kC = std::string(32, 'c') + "-c";

TEST_CASE("a closure is sorted by path and finds its paths") {
  const Closure closure = make_closure({info(kC), info(kA, {kA, kB}), info(kB)});
  REQUIRE(closure.paths().size() == 3);
  CHECK(closure.paths()[0].path.base_name() == kA);
  CHECK(closure.paths()[2].path.base_name() == kC);
  CHECK(closure.nar_size() == 3 * kA.size());
  REQUIRE(closure.find(StorePath::from_base_name(kB)) != nullptr);
  CHECK(*closure.find(StorePath::from_base_name(kB)) == info(kB));
  CHECK(closure.find(StorePath::from_base_name(std::string(32, 'd') + "-d")) == nullptr);
}

TEST_CASE("a path that is there twice is refused by name") {
  CHECK_THROWS_WITH(make_closure({info(kA), info(kB), info(kA)}),
                    "/nix/store/" + kA + " is twice in the closure");
}

TEST_CASE("a reference to a path outside is refused by name") {
  CHECK_THROWS_WITH(
      make_closure({info(kA, {kB})}),
      "/nix/store/" + kA + " refers to /nix/store/" + kB + ", which is not in the closure");
}

// The database of Nix 2.8.0; the expected text is
//   nix-store --dump-db, hashes by nix-hash --type sha256 --to-base32, LC_ALL=C sort
TEST_CASE("the manifest has a line for each path, sorted bytewise") {
  std::vector<PathInfo> kept;
  for (PathInfo& path : parse_registration(test::golden("nix/2.8.0/dump-db.txt"))) {
    if (path.path.name() == "app" || path.path.name() == "lib") {
      kept.push_back(std::move(path));
    }
  }
  const Closure closure = make_closure(kept);
  CHECK(closure.manifest() ==
        "sha256:03wzk1cq3sdbichqwdkvmxv8y66pcq7c24rv9cjwkf6crw241gr3  "
        "/nix/store/"
        "w3zvg3i28nb50vlvyhfpp8rzkqym97vw-lib\nsha256:"
        "0c7gay03bd8pxwaq654xqx997rj3zswbazpzizbi354y4ir2wrxy  "
        "/nix/store/5nwqivkl2mkcblqbndsxic915qd1hz7f-app\n");
  CHECK(closure.digest().hex() ==
        "9ce30e2ce592ca3d79303778c12fa02bbce4e7ff0aff5528fec3e0d55c09b196");
}

TEST_CASE("registration text is what nix-store --dump-db prints, without derivers") {
  const std::string dumped = test::golden("nix/2.34.8/dump-db.txt");
  const std::vector<PathInfo> paths = parse_registration(dumped);
  REQUIRE(paths.size() == 10);
  // The fourth line of a record, which an empty line replaces.
  std::string without_derivers = dumped;
  for (const std::string name : {"/nix/store/zcyhlhv60qs3vshg0q80dkshmj58gp4f-app.drv",
                                 "/nix/store/zfr39wpnwpnlgfhika4fg62s5lfiq29l-lib.drv"}) {
    for (const std::string size : {"96", "208", "120"}) {
      const std::string found = "\n" + size + "\n" + name + "\n";
      if (const auto at = without_derivers.find(found); at != std::string::npos) {
        without_derivers.replace(at, found.size(), "\n" + size + "\n\n");
      }
    }
  }
  CHECK(registration(make_closure(paths)) == without_derivers);
  CHECK(parse_registration(registration(make_closure(paths))) == make_closure(paths).paths());
}

TEST_CASE("hashes in base 32 with a prefix are read, as closureInfo writes them") {
  // nix-hash --type sha256 --to-base32 be672e72...
  const auto paths = parse_registration(
      "/nix/store/" + kA +
      "\nsha256:0c7gay03bd8pxwaq654xqx997rj3zswbazpzizbi354y4ir2wrxy\n208\n\n0\n");
  REQUIRE(paths.size() == 1);
  CHECK(paths[0].nar_hash.hex() ==
        "be672e72249e9411d78fff7eb5b8fe43e69352c79d148315ef17b5358057ef30");
}

TEST_CASE("registration text with one thing wrong is refused") {
  const std::string hash(64, 'a');
  const std::string path = "/nix/store/" + kA;
  REQUIRE(parse_registration(path + "\n" + hash + "\n1\n\n1\n" + path + "\n").size() == 1);
  const auto text = GENERATE_COPY(as<std::string>{},
                                  path,
                                  path + "\n" + hash.substr(1) + "\n1\n\n0\n",
                                  path + "\n" + hash + "\n-1\n\n0\n",
                                  path + "\n" + hash + "\n1x\n\n0\n",
                                  path + "\n" + hash + "\n\n\n0\n",
                                  path + "\n" + hash + "\n1\nx\n0\n",
                                  path + "\n" + hash + "\n1\n\n2\n" + path + "\n",
                                  path + "\n" + hash + "\n1\n\n18446744073709551616\n",
                                  path + "\n" + hash + "\n1\n\n18446744073709551615\n",
                                  path + "\n" + hash + "\n1\n\n1\n" + path,
                                  "x\n" + hash + "\n1\n\n0\n");
  CHECK_THROWS_AS(parse_registration(text), FormatError);
}

}  // namespace
}  // namespace seed::nix
