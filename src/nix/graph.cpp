#include "nix/graph.hpp"

#include <fmt/core.h>

#include "base/error.hpp"
#include "os/file.hpp"

namespace seed::nix {
namespace {

/// The largest .drv seen in nixpkgs is below 1 MiB; a list of ten thousand inputs stays below this.
constexpr std::uint64_t kMaxDerivationBytes = 16 << 20;

}  // namespace

BuildGraph read_graph(std::span<const StorePath> roots,
                      const std::function<std::string(const StorePath&)>& read) {
  BuildGraph graph;
  std::vector<StorePath> pending(roots.begin(), roots.end());
  while (!pending.empty()) {
    const StorePath path = std::move(pending.back());
    pending.pop_back();
    if (graph.contains(path)) {
      continue;
    }
    Derivation derivation =
        while_doing("reading " + path.to_string(), [&] { return parse_derivation(read(path)); });
    for (const auto& [input, outputs] : derivation.input_drvs) {
      if (!graph.contains(input)) {
        pending.push_back(input);
      }
    }
    graph.emplace(path, std::move(derivation));
  }
  return graph;
}

BuildGraph read_graph(std::span<const StorePath> roots, const std::filesystem::path& store_dir) {
  return read_graph(roots, [&](const StorePath& path) {
    return os::read_file(store_dir / path.base_name(), kMaxDerivationBytes);
  });
}

std::set<StorePath> sources_of(const BuildGraph& graph) {
  std::set<StorePath> sources;
  for (const auto& [path, derivation] : graph) {
    sources.insert(derivation.input_srcs.begin(), derivation.input_srcs.end());
  }
  return sources;
}

std::set<StorePath> own_derivations(const BuildGraph& base, const BuildGraph& perturbed) {
  std::set<StorePath> own;
  for (const auto& [path, derivation] : base) {
    if (!perturbed.contains(path)) {
      own.insert(path);
    }
  }
  return own;
}

Frontier frontier_of(const BuildGraph& graph,
                     const std::set<StorePath>& builds,
                     const std::set<StorePath>& own,
                     const std::function<bool(const StorePath&)>& keep) {
  Frontier frontier;
  for (const StorePath& build : builds) {
    const Derivation& derivation = graph.at(build);
    for (const auto& [input, outputs] : derivation.input_drvs) {
      if (!own.contains(input)) {
        frontier.outputs[input].insert(outputs.begin(), outputs.end());
      }
    }
    for (const StorePath& source : derivation.input_srcs) {
      if (keep(source)) {
        frontier.sources.insert(source);
      }
    }
  }
  return frontier;
}

std::vector<StorePath> output_paths(const BuildGraph& graph, const Frontier& frontier) {
  std::vector<StorePath> paths;
  for (const auto& [drv, names] : frontier.outputs) {
    const Derivation& derivation = graph.at(drv);
    for (const std::string& name : names) {
      const auto output = derivation.outputs.find(name);
      if (output == derivation.outputs.end() || output->second.empty()) {
        throw Error(
            fmt::format("the path of output '{}' of {} is not known before it is built",
                        name,
                        drv.to_string()),
            "content-addressed derivations can't be seeded: name only outputs that do without "
            "them, or turn content addressing off for this input");
      }
      paths.push_back(StorePath::parse(output->second));
    }
  }
  return paths;
}

}  // namespace seed::nix
