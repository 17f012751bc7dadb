#include "image/plan.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "plan_sim.hpp"
#include "support/catch.hpp"

namespace seed::image {
namespace {

const PlanOptions kOptions{.max_layers = 96, .media_type = "t"};

/// Every closure path in exactly one layer, dead paths in reused layers only, never too many.
void check_plan(const LayerPlan& plan, const nix::Closure& closure, std::size_t max_layers) {
  CHECK(plan.size() <= max_layers);
  std::map<nix::StorePath, int> seen;
  for (const PlannedLayer& layer : plan) {
    CHECK_FALSE(layer.paths.empty());
    CHECK(std::ranges::is_sorted(layer.paths, {}, &LayerPath::path));
    for (const LayerPath& path : layer.paths) {
      const nix::PathInfo* info = closure.find(path.path);
      if (info == nullptr ? !layer.reuse : info->nar_size != path.nar_size) {
        FAIL(path.path.to_string());
      }
      ++seen[path.path];
    }
  }
  for (const nix::PathInfo& info : closure.paths()) {
    if (seen[info.path] != 1) {
      FAIL(info.path.to_string() << " is in " << seen[info.path] << " layers");
    }
  }
}

/// Which names share a layer.
std::set<std::set<std::string>> shape(const LayerPlan& plan) {
  std::set<std::set<std::string>> layers;
  for (const PlannedLayer& layer : plan) {
    std::set<std::string> names;
    for (const LayerPath& path : layer.paths) {
      names.emplace(path.path.name());
    }
    layers.insert(names);
  }
  return layers;
}

LayerPath path_of(char hash, const std::string& name, std::uint64_t size) {
  const std::string base_name = std::string(32, hash) + "-" + name;
  return {nix::StorePath::from_base_name(base_name), Digest::of(base_name), size};
}

nix::Closure closure_of(const std::vector<LayerPath>& paths) {
  std::vector<nix::PathInfo> infos;
  for (const LayerPath& path : paths) {
    infos.push_back({path.path, path.nar_hash, path.nar_size, {}});
  }
  return nix::make_closure(std::move(infos));
}

/// Nothing in it compresses.
PlannedLayer old_layer(std::vector<LayerPath> paths, const std::string& media_type = "t") {
  const Digest digest = Digest::of(paths.at(0).path.base_name());
  PlannedLayer layer{std::move(paths), std::nullopt};
  layer.reuse = LayerBlob{digest, digest, layer.nar_size(), media_type};
  return layer;
}

}  // namespace

TEST_CASE("a layer is not taken over where a path was rebuilt to other bytes of the same size") {
  const LayerPath before = path_of('a', "app", 1000);
  LayerPath after = before;
  after.nar_hash = Digest::of("other bytes");
  const LayerPlan previous{old_layer({before, path_of('b', "lib", 5000)})};

  const LayerPlan plan = plan_layers(closure_of({after, path_of('b', "lib", 5000)}),
                                     {.max_layers = 10, .media_type = "t"},
                                     &previous);

  for (const PlannedLayer& layer : plan) {
    CHECK_FALSE(layer.reuse.has_value());
  }
}

TEST_CASE("a plan holds every path once within its layers, at every budget") {
  const auto graph = sim::Graph::make(150, 7);
  const nix::Closure closure = graph.closure();
  for (const std::size_t layers : {1U, 2U, 3U, 10U, 96U, 500U}) {
    check_plan(plan_layers(closure, {.max_layers = layers, .media_type = "t"}), closure, layers);
  }
  CHECK(plan_layers(nix::make_closure({}), kOptions).empty());
  CHECK_THROWS_AS(plan_layers(closure, {.max_layers = 0, .media_type = "t"}), UsageError);
}

TEST_CASE("a plan holds along a history, at every budget, and is the same twice") {
  for (const std::size_t layers : {1U, 2U, 3U, 5U, 20U, 96U}) {
    const PlanOptions options{.max_layers = layers, .media_type = "t"};
    auto graph = sim::Graph::make(120, 3);
    LayerPlan plan = sim::pushed(plan_layers(graph.closure(), options));
    for (const auto& bump : sim::history(graph, sim::Kind::random_five, 15, 5)) {
      for (const std::size_t node : bump) {
        ++graph.nodes[node].version;
      }
      const nix::Closure closure = graph.closure();
      const LayerPlan next = plan_layers(closure, options, &plan);
      check_plan(next, closure, layers);
      CHECK(next == plan_layers(closure, options, &plan));
      plan = sim::pushed(next);
    }
  }
}

TEST_CASE("without a past the plan does not depend on hashes") {
  auto graph = sim::Graph::make(300, 11);
  const auto before = shape(plan_layers(graph.closure(), kOptions));
  for (auto& node : graph.nodes) {
    ++node.version;
  }
  CHECK(shape(plan_layers(graph.closure(), kOptions)) == before);
}

TEST_CASE("a seed of the same closure takes every layer over") {
  const nix::Closure closure = sim::Graph::make(300, 11).closure();
  const LayerPlan plan = sim::pushed(plan_layers(closure, kOptions));
  CHECK(plan_layers(closure, kOptions, &plan) == plan);
}

TEST_CASE("one changed leaf is one new layer of that path alone") {
  auto graph = sim::Graph::make(300, 11);
  const LayerPlan plan = sim::pushed(plan_layers(graph.closure(), kOptions));
  const auto dependents = graph.dependents();
  std::size_t leaf = 0;  // not alone in its layer, and not most of it
  for (std::size_t i = 0; i < dependents.size(); ++i) {
    if (dependents[i] == 1 && graph.nodes[i].size < 100'000) {
      leaf = i;
    }
  }
  ++graph.nodes[leaf].version;
  const LayerPlan next = plan_layers(graph.closure(), kOptions, &plan);
  CHECK(next.size() == plan.size() + 1);
  CHECK(std::vector(next.begin(), next.end() - 1) == plan);
  REQUIRE(next.back().paths.size() == 1);
  CHECK(next.back().paths[0].path.name() == graph.nodes[leaf].name);
  CHECK_FALSE(next.back().reuse);
}

TEST_CASE("a layer is taken over from half live bytes on, of the wanted type only") {
  const LayerPath live = path_of('a', "live", 100);
  const LayerPath bulk = path_of('c', "bulk", 100'000);
  const nix::Closure closure = closure_of({live, bulk});
  const auto reuses = [&](const PlannedLayer& layer) {
    const LayerPlan previous{old_layer({bulk}), layer};
    const LayerPlan plan = plan_layers(closure, kOptions, &previous);
    check_plan(plan, closure, 96);
    return std::ranges::count(plan, layer) == 1;
  };
  CHECK(reuses(old_layer({live, path_of('b', "dead", 100)})));
  CHECK_FALSE(reuses(old_layer({live, path_of('b', "dead", 101)})));
  CHECK_FALSE(reuses(old_layer({live}, "gzip")));
  // The same path with another size is another build of it.
  CHECK_FALSE(reuses(old_layer({path_of('a', "live", 99)})));
  // A path that another layer has already brought.
  CHECK_FALSE(reuses(old_layer({bulk, live})));
}

TEST_CASE("layers with the most dead bytes go when dead bytes pass a tenth") {
  const LayerPath live = path_of('a', "live", 1000);
  const LayerPath live2 = path_of('b', "live2", 1000);
  const LayerPlan previous{old_layer({live, path_of('c', "dead", 50)}),
                           old_layer({live2, path_of('d', "dead", 160)})};
  const nix::Closure closure = closure_of({live, live2});
  const LayerPlan plan = plan_layers(closure, kOptions, &previous);
  check_plan(plan, closure, 96);
  CHECK(plan.size() == 2);
  CHECK(plan[0] == previous[0]);
  CHECK(plan[1] == PlannedLayer{{live2}, std::nullopt});
}

TEST_CASE("dead bytes count as a pull brings them, compressed") {
  const LayerPath bulk = path_of('a', "bulk", 10'000);
  const LayerPath live = path_of('b', "live", 1000);
  const nix::Closure closure = closure_of({bulk, live});
  const auto reuses = [&](std::uint64_t bulk_blob, std::uint64_t dead, std::uint64_t blob) {
    LayerPlan previous{old_layer({bulk}), old_layer({live, path_of('c', "dead", dead)})};
    previous[0].reuse->size_bytes = bulk_blob;
    previous[1].reuse->size_bytes = blob;
    const LayerPlan plan = plan_layers(closure, kOptions, &previous);
    check_plan(plan, closure, 96);
    return std::ranges::count(plan, previous[1]) == 1;
  };
  // 500 of 11,000 bytes are dead; where the others compress to a tenth, that is a quarter.
  CHECK(reuses(10'000, 500, 1500));
  CHECK_FALSE(reuses(1000, 500, 1500));
  // All 1000 dead bytes are a tenth of what is wanted, unless they compress well.
  CHECK_FALSE(reuses(10'000, 1000, 2000));
  CHECK(reuses(10'000, 1000, 100));
}

TEST_CASE("large sources have layers of their own") {
  std::vector<LayerPath> paths{path_of('a', "source", 9 << 20)};
  for (char c = 'b'; c != 'e'; ++c) {
    paths.push_back(path_of(c, "large", 10 << 20));
  }
  const LayerPlan plan = plan_layers(closure_of(paths), {.max_layers = 3, .media_type = "t"});
  CHECK(std::ranges::count(plan, PlannedLayer{{paths[0]}, std::nullopt}) == 1);
}

TEST_CASE("a plan is written as canonical JSON and read back with its blobs") {
  const Digest digest = Digest::of("x");
  const LayerPlan plan{{{path_of('a', "x", 5), path_of('b', "y", 6)}, std::nullopt}};
  const std::vector<LayerBlob> blobs{{digest, Digest::of("y"), 7, "m/t"}};
  const std::string json = plan_to_json(plan, blobs);
  CHECK(json == R"({"layers":[{"diffId":")" + Digest::of("y").to_string() + R"(","digest":")" +
                    digest.to_string() + R"(","mediaType":"m/t","paths":{")" +
                    std::string(32, 'a') +
                    R"(-x":["0inngdx0mpcsi4k635wvzb3bhdc7547wys3rv5kscb0hb24vfpiq",5],")" +
                    std::string(32, 'b') +
                    R"(-y":["1zbvqiw6n0jvh5i72glj6vyj8w0g20xbjcyvwg1rqsna8g2s7niz",6]},"size":7}],)"
                    R"("version":1})");
  const LayerPlan back = plan_from_json(json);
  REQUIRE(back.size() == 1);
  CHECK(back[0].paths == plan[0].paths);
  CHECK(back[0].reuse == blobs[0]);
  CHECK_THROWS_AS(plan_to_json(plan, {}), Error);
}

TEST_CASE("a plan with one thing wrong is refused") {
  const std::string layer =
      R"({"diffId":"D","digest":"D","mediaType":"t","paths":{"P":["H",1]},"size":1})";
  const auto text = [&](const std::string& from, const std::string& to) {
    std::string json = R"({"layers":[)" + layer + R"(],"version":1})";
    const auto replace = [&](const std::string& what, const std::string& with) {
      for (auto at = json.find(what); at != json.npos; at = json.find(what, at + with.size())) {
        json.replace(at, what.size(), with);
      }
    };
    replace(from, to);
    replace("\"D\"", "\"" + Digest::of("x").to_string() + "\"");
    replace("\"H\"", "\"" + to_nix32(Digest::of("x").raw()) + "\"");
    replace("\"P\"", "\"" + std::string(32, 'a') + "-x\"");
    return json;
  };
  CHECK(plan_from_json(text("?", "?")).size() == 1);
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{"\"version\":1", "\"version\":2"},
                                                        {"\"version\"", "\"v\""},
                                                        {"\"layers\"", "\"l\""},
                                                        {"\"diffId\"", "\"d\""},
                                                        {"\"D\"", "\"sha1:0\""},
                                                        {"\"P\"", "\"../x\""},
                                                        {",1]", ",-1]"},
                                                        {",1]", "]"},
                                                        {"\"H\"", "\"e\""},
                                                        {"\"H\"", "1"},
                                                        {"\"size\":1", "\"size\":\"1\""},
                                                        {"\"t\"", "null"}}) {
    INFO(from);
    CHECK_THROWS_AS(plan_from_json(text(from, to)), FormatError);
  }
}

}  // namespace seed::image
