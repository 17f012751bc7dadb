// Runs the layer planner over histories of closures, and says what each step would send.
//
// stdin, a line each:
//   history NAME                  starts anew, without a previous seed
//   state LABEL                   the closure as it is after this step; paths follow
//   path KEY NAME RECIPE NAR WIRE [KEY...]
//                                 a store path: its name, what its own recipe is, bytes as NAR,
//                                 bytes in a layer's blob, and the paths of this state that it
//                                 refers to, which come before it
// stdout, a line of JSON for each history.

#include <cstdint>
#include <cstdio>
#include <iostream>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "image/plan.hpp"
#include "nix/closure.hpp"

namespace {

using seed::Digest;
using seed::image::LayerPlan;
using seed::nix::StorePath;

constexpr std::size_t kHashBytes = 20;

struct State {
  std::string label;
  std::vector<seed::nix::PathInfo> paths;
  std::map<std::string, StorePath> by_key;
};

/// A path's hash is that of its recipe and of all it refers to, as Nix has it.
void add_path(State& state, std::map<StorePath, std::uint64_t>& wire, std::istringstream& line) {
  std::string key;
  std::string name;
  std::string recipe;
  std::uint64_t nar_size = 0;
  std::uint64_t wire_size = 0;
  if (!(line >> key >> name >> recipe >> nar_size >> wire_size)) {
    throw seed::FormatError("a path has no key, name, recipe and sizes");
  }
  std::string text = name + "\n" + recipe + "\n";
  std::set<StorePath> references;
  for (std::string other; line >> other;) {
    const auto found = state.by_key.find(other);
    if (found == state.by_key.end()) {
      throw seed::FormatError(key + " refers to " + other + ", which does not come before it");
    }
    references.insert(found->second);
    text += found->second.base_name() + "\n";
  }
  const Digest digest = Digest::of(text);
  const StorePath path = StorePath::from_base_name(
      seed::to_nix32(std::span(digest.raw()).first(kHashBytes)) + "-" + name);
  state.by_key.emplace(key, path);
  wire[path] = wire_size;
  state.paths.push_back({path, digest, nar_size, std::move(references)});
}

/// One history: the plan so far, and what its steps have cost.
class History {
 public:
  History(std::string name, std::size_t max_layers)
      : name_(std::move(name)), options_{.max_layers = max_layers, .media_type = "t"} {}

  void step(State state, std::map<StorePath, std::uint64_t>& wire) {
    const auto closure = seed::nix::make_closure(std::move(state.paths));
    const LayerPlan plan =
        seed::image::plan_layers(closure, options_, steps_.empty() ? nullptr : &plan_);
    Bytes sent;
    Bytes pull;
    std::size_t fresh = 0;
    for (const auto& layer : plan) {
      const Bytes bytes = bytes_of(layer, wire);
      pull += bytes;
      if (!layer.reuse) {
        sent += bytes;
        ++fresh;
      }
    }
    Bytes changed;
    Bytes all;
    for (const auto& info : closure.paths()) {
      const Bytes bytes{info.nar_size, wire.at(info.path)};
      all += bytes;
      if (before_.insert(info.path).second) {
        changed += bytes;
      }
    }
    steps_.push_back({{"label", state.label},
                      {"sent", to_json(sent)},
                      {"least", to_json(changed)},
                      {"pull", to_json(pull)},
                      {"closure", to_json(all)},
                      {"paths", closure.paths().size()},
                      {"layers", plan.size()},
                      {"freshLayers", fresh}});
    plan_ = pushed(plan, wire);
  }

  void print() const {
    const nlohmann::json line{{"history", name_}, {"steps", steps_}};
    std::puts(line.dump().c_str());
  }

 private:
  struct Bytes {
    std::uint64_t nar = 0;
    std::uint64_t wire = 0;

    Bytes& operator+=(const Bytes& other) {
      nar += other.nar;
      wire += other.wire;
      return *this;
    }
  };

  static nlohmann::json to_json(const Bytes& bytes) {
    return {{"nar", bytes.nar}, {"wire", bytes.wire}};
  }

  static Bytes bytes_of(const seed::image::PlannedLayer& layer,
                        const std::map<StorePath, std::uint64_t>& wire) {
    Bytes bytes;
    for (const auto& path : layer.paths) {
      bytes += {path.nar_size, wire.at(path.path)};
    }
    return bytes;
  }

  /// What the registry holds then: each layer under a digest of what is in it.
  static LayerPlan pushed(LayerPlan plan, const std::map<StorePath, std::uint64_t>& wire) {
    for (auto& layer : plan) {
      if (!layer.reuse) {
        std::string text;
        for (const auto& path : layer.paths) {
          text += path.path.base_name() + "\n";
        }
        const Digest digest = Digest::of(text);
        layer.reuse = seed::image::LayerBlob{digest, digest, bytes_of(layer, wire).wire, "t"};
      }
    }
    return plan;
  }

  std::string name_;
  seed::image::PlanOptions options_;
  LayerPlan plan_;
  std::set<StorePath> before_;  ///< all that was ever sent
  nlohmann::json steps_ = nlohmann::json::array();
};

int run(std::size_t max_layers) {
  std::optional<History> history;
  std::optional<State> state;
  std::map<StorePath, std::uint64_t> wire;
  const auto end_state = [&] {
    if (history && state) {
      history->step(*std::move(state), wire);
    }
    state.reset();
  };
  const auto end_history = [&] {
    end_state();
    if (history) {
      history->print();
    }
  };
  for (std::string text; std::getline(std::cin, text);) {
    std::istringstream line(text);
    std::string word;
    line >> word;
    if (word == "history") {
      end_history();
      line >> word;
      history.emplace(word, max_layers);
      wire.clear();
    } else if (word == "state") {
      end_state();
      state.emplace();
      line >> state->label;
    } else if (word == "path" && state) {
      add_path(*state, wire, line);
    } else {
      throw seed::FormatError("'" + text + "' is no line of a history");
    }
  }
  end_history();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc > 1 ? std::stoul(argv[1]) : seed::image::PlanOptions().max_layers);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "plan_histories: %s\n", error.what());
    return 1;
  }
}
