#include "image/self_check.hpp"

#include "base/error.hpp"
#include "support/catch.hpp"
#include "support/fake_runner.hpp"

namespace seed::image {
namespace {

using Arguments = std::vector<std::string>;

nix::StorePath path(char digit, const std::string& name) {
  return nix::StorePath::from_base_name(std::string(32, digit) + "-" + name);
}

os::RootView view() {
  return {.lower = "/l",
          .store_lower = "/nix/store",
          .upper = "/u",
          .binds = {{"/a", "/b", false}},
          .network = os::Network::none,
          .writes = os::Writes::kept,
          .directory = "/"};
}

TEST_CASE("a request to enter a view comes back from its arguments as it was") {
  const EnterRequest request{.view = view(),
                             .environment = {"PATH=/bin", "EMPTY=", "ODD=--", "TWO=a\nb"},
                             .argv = {"sh", "-c", "echo --", "--", "--env", ""}};
  const EnterRequest back = parse_enter(to_arguments(request));
  CHECK(back.environment == request.environment);
  CHECK(back.argv == request.argv);
  CHECK(os::to_arguments(back.view) == os::to_arguments(request.view));
}

TEST_CASE("a request to enter without a command is refused") {
  CHECK_THROWS_WITH(parse_enter({"--lower", "/l", "--upper", "/u"}), "enter: no command after --");
  CHECK_THROWS_WITH(parse_enter({"--lower", "/l", "--upper", "/u", "--"}),
                    "enter: no command after --");
  CHECK_THROWS_AS(parse_enter({"--", "sh"}), UsageError);
  CHECK_THROWS_AS(parse_enter({"--lower", "/l", "--upper", "/u", "--env", "--", "sh"}), UsageError);
}

TEST_CASE("a command in a view gets its own folder and additions to the view's environment") {
  test::FakeRunner inner;
  inner.answer = [](const os::Command&) { return test::FakeRunner::Answer{3, "out", "err"}; };
  ViewRunner runner(inner, "/bin/nix-seed", view(), {{"A", "1"}, {"B", "2"}, {"C", "3"}});
  const os::Captured result = os::capture(runner,
                                          {.argv = {"nix", "build"},
                                           .extra = {{"B", "two"}, {"D", "4"}},
                                           .unset = {"C"},
                                           .directory = "/src",
                                           .input = "in"});
  CHECK(result.exit.code == 3);
  CHECK(result.out == "out");
  CHECK(result.err == "err");
  REQUIRE(inner.seen.size() == 1);
  CHECK(inner.seen[0].input == "in");
  Arguments arguments = inner.seen[0].argv;
  REQUIRE(arguments.size() > 2);
  CHECK(arguments[0] == "/bin/nix-seed");
  CHECK(arguments[1] == "enter");
  arguments.erase(arguments.begin(), arguments.begin() + 2);
  const EnterRequest request = parse_enter(arguments);
  CHECK(request.environment == Arguments{"A=1", "B=two", "D=4"});
  CHECK(request.argv == Arguments{"nix", "build"});
  CHECK(request.view.directory == "/src");
}

TEST_CASE("a dry run writes to memory where it needs little of what is available") {
  constexpr std::uint64_t kMiB = 1 << 20;
  CHECK(writes_of(10'000, 10 * kMiB, 1024 * kMiB) == os::Writes::dropped);
  CHECK(writes_of(64, kMiB, 8 * kMiB) == os::Writes::dropped);  // a fourth of it
  CHECK(writes_of(65, kMiB, 8 * kMiB) == os::Writes::kept);
  CHECK(writes_of(0, 256 * kMiB, 1024 * 1024 * kMiB) == os::Writes::dropped);
  CHECK(writes_of(1, 256 * kMiB, 1024 * 1024 * kMiB) == os::Writes::kept);
  CHECK(writes_of(1, 0, 0) == os::Writes::kept);
}

TEST_CASE("only own derivations may be built in a closed seed, and nothing fetched") {
  const nix::StorePath own = path('a', "app.drv");
  const nix::StorePath lib = path('b', "lib.drv");
  const nix::StorePath fetched = path('c', "src");
  const nix::StorePath unknown = path('d', "gone");
  CHECK(holes_in({}, {}).empty());
  CHECK(holes_in({.will_build = {own}, .will_fetch = {}, .unknown = {}}, {own, lib}).empty());
  CHECK(holes_in({.will_build = {own, lib}, .will_fetch = {fetched}, .unknown = {unknown}},
                 {own}) == std::vector{lib, fetched, unknown});
  // What is fetched is a hole whoever owns it.
  CHECK(holes_in({.will_build = {}, .will_fetch = {own}, .unknown = {}}, {own}) ==
        std::vector{own});
}

}  // namespace
}  // namespace seed::image
