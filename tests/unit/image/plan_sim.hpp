#pragma once

#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/encoding.hpp"
#include "image/plan.hpp"
#include "nix/closure.hpp"

namespace seed::image::sim {

/// Numbers that are the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }

  double unit() { return static_cast<double>(next() >> 11) / 9007199254740992.0; }

  double normal() {
    return std::sqrt(-2 * std::log(1 - unit())) * std::cos(2 * 3.14159265358979 * unit());
  }

 private:
  std::uint64_t state_;
};

struct Node {
  std::string name;
  std::uint64_t size = 0;
  std::vector<std::size_t> needs;  ///< lower indexes
  int version = 0;                 ///< of the node's own recipe
};

/// A dependency graph that behaves as Nix's: a new recipe gives every path above it a new hash.
struct Graph {
  std::vector<Node> nodes;

  /// Few libraries that many need, many tools that few need; sizes log-normal, median 600 kB.
  static Graph make(std::size_t count, std::uint64_t seed) {
    Random random(seed);
    Graph graph;
    for (std::size_t i = 0; i < count; ++i) {
      Node node;
      node.name = "pkg" + std::to_string(random.below(100000)) + "-1." + std::to_string(i);
      node.size = static_cast<std::uint64_t>(std::exp(13.3 + 1.9 * random.normal()));
      node.size = std::min<std::uint64_t>(node.size, 150'000'000);
      std::set<std::size_t> needs;
      const std::size_t wanted = i == 0 ? 0 : 1 + random.below(5);
      for (std::size_t n = 0; n < wanted; ++n) {
        // A third needs the base, the others something near the bottom of what there is.
        const double where = random.unit();
        needs.insert(static_cast<std::size_t>(static_cast<double>(i) * where * where * where));
      }
      node.needs.assign(needs.begin(), needs.end());
      graph.nodes.push_back(std::move(node));
    }
    return graph;
  }

  nix::Closure closure() const {
    std::vector<nix::PathInfo> infos;
    std::vector<nix::StorePath> paths;
    for (const Node& node : nodes) {
      std::string recipe = node.name + "!" + std::to_string(node.version);
      std::set<nix::StorePath> references;
      for (const std::size_t need : node.needs) {
        recipe += paths[need].base_name();
        references.insert(paths[need]);
      }
      const Digest digest = Digest::of(recipe);
      paths.push_back(nix::StorePath::from_base_name(to_nix32(std::span(digest.raw()).first(20)) +
                                                     "-" + node.name));
      infos.push_back({paths.back(), digest, node.size, std::move(references)});
    }
    return nix::make_closure(std::move(infos));
  }

  /// How many paths each one's change changes, itself among them.
  std::vector<std::size_t> dependents() const {
    std::vector<std::set<std::size_t>> above(nodes.size());
    for (std::size_t i = nodes.size(); i-- > 0;) {
      above[i].insert(i);
      for (const std::size_t need : nodes[i].needs) {
        above[need].insert(above[i].begin(), above[i].end());
      }
    }
    std::vector<std::size_t> counts;
    for (const auto& set : above) {
      counts.push_back(set.size());
    }
    return counts;
  }
};

/// What a registry would hold of the plan: every layer with a blob, as the next plan's past.
inline LayerPlan pushed(LayerPlan plan) {
  for (PlannedLayer& layer : plan) {
    if (!layer.reuse) {
      std::string text;
      for (const LayerPath& path : layer.paths) {
        text += path.path.base_name() + "\n";
      }
      const Digest digest = Digest::of(text);
      layer.reuse = LayerBlob{digest, digest, layer.nar_size(), "t"};
    }
  }
  return plan;
}

struct Outcome {
  double amplification = 0;  ///< bytes sent over bytes of changed paths, the whole history
  double cold_growth = 0;    ///< the worst cold pull over the closure's bytes
  std::size_t most_layers = 0;
};

inline Outcome run(Graph graph,
                   const std::vector<std::vector<std::size_t>>& bumps,
                   std::size_t max_layers) {
  const PlanOptions options{.max_layers = max_layers, .media_type = "t"};
  nix::Closure closure = graph.closure();
  LayerPlan plan = pushed(plan_layers(closure, options));
  double sent = 0;
  double changed = 0;
  Outcome outcome{.most_layers = plan.size()};
  for (const auto& bump : bumps) {
    for (const std::size_t node : bump) {
      ++graph.nodes[node].version;
    }
    const nix::Closure next = graph.closure();
    const LayerPlan planned = plan_layers(next, options, &plan);
    double all = 0;
    for (const PlannedLayer& layer : planned) {
      all += static_cast<double>(layer.nar_size());
      sent += layer.reuse ? 0 : static_cast<double>(layer.nar_size());
    }
    for (const nix::PathInfo& info : next.paths()) {
      changed += closure.find(info.path) == nullptr ? static_cast<double>(info.nar_size) : 0;
    }
    outcome.cold_growth =
        std::max(outcome.cold_growth, all / static_cast<double>(next.nar_size()) - 1);
    outcome.most_layers = std::max(outcome.most_layers, planned.size());
    closure = next;
    plan = pushed(planned);
  }
  outcome.amplification = sent / changed;
  return outcome;
}

enum class Kind { leaf, mid, random_five, base };

inline std::vector<std::vector<std::size_t>> history(const Graph& graph,
                                                     Kind kind,
                                                     std::size_t steps,
                                                     std::uint64_t seed) {
  Random random(seed);
  const auto dependents = graph.dependents();
  std::vector<std::size_t> pool;
  for (std::size_t i = 0; i < dependents.size(); ++i) {
    const bool leaf = dependents[i] <= 5;
    const bool base = dependents[i] > graph.nodes.size() / 3;
    const bool mid = !leaf && dependents[i] <= 60;
    if (kind == Kind::random_five || (kind == Kind::leaf && leaf) || (kind == Kind::mid && mid) ||
        (kind == Kind::base && base)) {
      pool.push_back(i);
    }
  }
  std::vector<std::vector<std::size_t>> bumps(steps);
  for (auto& bump : bumps) {
    for (int n = 0; n < (kind == Kind::random_five ? 5 : 1); ++n) {
      bump.push_back(pool[random.below(pool.size())]);
    }
  }
  return bumps;
}

}  // namespace seed::image::sim
