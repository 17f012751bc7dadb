#include "nix/graph.hpp"

#include "base/error.hpp"
#include "nix/seed_inputs.hpp"
#include "nix/staleness.hpp"
#include "os/file.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"

namespace seed::nix {
namespace {

StorePath path(char digit, const std::string& name) {
  return StorePath::from_base_name(std::string(32, digit) + "-" + name);
}

const StorePath kSource = path('s', "source");
const StorePath kPatch = path('p', "fix.patch");
const StorePath kFetch = path('f', "src.tar.gz.drv");
const StorePath kLib = path('l', "lib.drv");
const StorePath kApp = path('a', "app.drv");
const StorePath kTop = path('1', "top.drv");

std::map<std::string, std::string> out(char digit, const std::string& name) {
  return {{"out", path(digit, name).to_string()}};
}

/// top <- app <- lib <- fetch; app uses the flake's source, lib a patch of its own.
BuildGraph graph() {
  return {
      {kFetch, {.outputs = out('2', "src.tar.gz"), .fixed_output = true}},
      {kLib,
       {.outputs = {{"dev", path('3', "lib-dev").to_string()},
                    {"out", path('4', "lib").to_string()}},
        .input_drvs = {{kFetch, {"out"}}},
        .input_srcs = {kPatch}}},
      {kApp,
       {.outputs = out('5', "app"),
        .input_drvs = {{kLib, {"dev", "out"}}},
        .input_srcs = {kSource, kPatch}}},
      {kTop, {.outputs = out('6', "top"), .input_drvs = {{kApp, {"out"}}, {kLib, {"out"}}}}},
  };
}

constexpr const char* kLeaf = R"(Derive([("out","/nix/store/)"
                              "22222222222222222222222222222222-x"
                              R"(","","")],[],[],"x86_64-linux","/bin/sh",[],[("name","x")]))";

TEST_CASE("a graph is read from its roots down, each derivation once") {
  const std::string top = R"(Derive([("out","/nix/store/)" + std::string(32, '6') +
                          R"(-top","","")],[("/nix/store/)" + kLib.base_name() +
                          R"(",["out"]),("/nix/store/)" + kApp.base_name() +
                          R"(",["out"])],[],"x86_64-linux","/bin/sh",[],[("name","top")]))";
  std::map<StorePath, std::string> texts{{kTop, top}, {kLib, kLeaf}, {kApp, kLeaf}};
  std::map<StorePath, int> reads;
  const std::vector<StorePath> roots{kTop, kLib, kTop};
  const BuildGraph read = read_graph(roots, [&](const StorePath& drv) {
    ++reads[drv];
    return texts.at(drv);
  });
  CHECK(read.size() == 3);
  CHECK(reads == std::map<StorePath, int>{{kTop, 1}, {kLib, 1}, {kApp, 1}});
  CHECK(read.at(kTop).input_drvs.size() == 2);
}

TEST_CASE("a derivation that can't be read is named") {
  const std::vector<StorePath> roots{kTop};
  CHECK_THROWS_WITH(read_graph(roots, [](const StorePath&) { return std::string("Derive(["); }),
                    Catch::Contains("reading " + kTop.to_string() + ": "));
  const os::TempDir store;
  CHECK_THROWS_WITH(read_graph(roots, store.path()),
                    Catch::Contains(kTop.base_name() + ": No such file or directory"));
}

TEST_CASE("derivations are read from a folder that stands for the store") {
  const os::TempDir store;
  os::atomic_write(store.path() / kLib.base_name(), kLeaf);
  const std::vector<StorePath> roots{kLib};
  CHECK(read_graph(roots, store.path()).at(kLib).builder == "/bin/sh");
}

TEST_CASE("sources are those of every derivation") {
  CHECK(sources_of(graph()) == std::set{kSource, kPatch});
  CHECK(sources_of({}).empty());
}

TEST_CASE("own derivations are those that a changed checkout does not have") {
  BuildGraph perturbed = graph();
  perturbed.erase(kApp);
  perturbed.erase(kTop);
  perturbed.emplace(path('7', "app.drv"), Derivation{});
  CHECK(own_derivations(graph(), perturbed) == std::set{kApp, kTop});
  CHECK(own_derivations(graph(), graph()).empty());
}

TEST_CASE("the frontier is what builds need from outside of the own derivations") {
  const Frontier frontier = frontier_of(
      graph(), {kApp, kTop}, {kApp, kTop}, [](const StorePath& s) { return s != kSource; });
  CHECK(frontier == Frontier{.outputs = {{kLib, {"dev", "out"}}}, .sources = {kPatch}});
  CHECK(output_paths(graph(), frontier) == std::vector{path('3', "lib-dev"), path('4', "lib")});
  CHECK(frontier_of(graph(), {}, {kApp}, [](const StorePath&) { return true; }) == Frontier{});
}

TEST_CASE("an output whose path is not known yet is refused by name") {
  BuildGraph floating = graph();
  floating.at(kLib).outputs["out"] = "";
  CHECK_THROWS_WITH(
      output_paths(floating, {.outputs = {{kLib, {"out"}}}, .sources = {}}),
      "the path of output 'out' of " + kLib.to_string() + " is not known before it is built");
}

TEST_CASE("derivations depend on a source directly or through others") {
  CHECK(dependents_of_source(graph(), kSource) == std::set{kApp, kTop});
  CHECK(dependents_of_source(graph(), kPatch) == std::set{kLib, kApp, kTop});
  CHECK(dependents_of_source(graph(), path('9', "other")).empty());
}

TEST_CASE("a seed that holds all but the flake's own source is fresh") {
  const std::map<StorePath, Derivation> to_build{{kApp, graph().at(kApp)},
                                                 {kTop, graph().at(kTop)}};
  const Staleness result = judge(to_build, [](const StorePath& p) { return p != kSource; });
  CHECK_FALSE(result.stale());
  CHECK(result.own == std::vector{kTop, kApp});
}

TEST_CASE("a fetch that would be needed makes a seed stale and names what it lacks") {
  const Staleness result = judge(graph(), [](const StorePath& p) { return p != kSource; });
  CHECK(result.stale());
  CHECK(result.own == std::vector{kTop, kApp});
  CHECK(result.missing ==
        std::vector{path('2', "src.tar.gz"), path('3', "lib-dev"), path('4', "lib")});
}

TEST_CASE("what can be built offline without a fetch does not make a seed stale") {
  BuildGraph offline = graph();
  offline.erase(kFetch);
  const Staleness result = judge(offline, [](const StorePath& p) { return p != kSource; });
  CHECK_FALSE(result.stale());
  CHECK(result.own == std::vector{kTop, kApp, kLib});
  CHECK_FALSE(judge({}, [](const StorePath&) { return true; }).stale());
}

}  // namespace
}  // namespace seed::nix
