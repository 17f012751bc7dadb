#include "nix/seed_inputs.hpp"

#include <algorithm>
#include <future>

#include <fmt/core.h>

#include "base/error.hpp"
#include "nix/changed_copy.hpp"
#include "nix/evaluation_watch.hpp"
#include "nix/seed_self.hpp"
#include "os/file.hpp"

namespace seed::nix {
namespace {

namespace fs = std::filesystem;

std::vector<StorePath> derivations_of(const Targets& targets) {
  std::vector<StorePath> all;
  for (const Target& target : targets.wanted) {
    all.insert(all.end(), target.derivations.begin(), target.derivations.end());
  }
  return all;
}

Targets targets_of(Nix& nix, const std::string& flake, const FlakeArguments& arguments) {
  return arguments.attributes.empty()
             ? find_targets(nix, flake, arguments.system)
             : find_targets(nix, flake, arguments.system, arguments.attributes);
}

std::set<std::string> attributes_of(const Targets& targets) {
  std::set<std::string> names;
  for (const Target& target : targets.wanted) {
    names.insert(target.attribute);
  }
  return names;
}

constexpr std::string_view kNoImport = "allow-import-from-derivation";

/// A flake's targets as evaluated without any build. Nothing where evaluating builds.
std::optional<Targets> targets_without_builds(Nix& nix,
                                              const std::string& flake,
                                              const FlakeArguments& arguments) {
  Nix strict = nix.with_option(std::string(kNoImport), "false");
  try {
    Targets targets = targets_of(strict, flake, arguments);
    const bool imports = std::ranges::any_of(targets.skipped, [](const SkippedTarget& skipped) {
      return skipped.why.find(kNoImport) != std::string::npos;
    });
    return imports ? std::nullopt : std::optional(std::move(targets));
  } catch (const Error& error) {
    if (error.message().find(kNoImport) == std::string::npos) {
      throw;
    }
    return std::nullopt;
  }
}

/// Evaluates, with a target more for what the evaluation itself builds.
Targets targets_with_builds(Nix& nix, const std::string& flake, const FlakeArguments& arguments) {
  Targets targets = targets_of(nix, flake, arguments);
  // Again, now that all it builds is there: what it still asks for are those outputs alone.
  EvaluationWatch watch(nix.runner());
  Nix watched = nix.with_runner(watch);
  targets_of(watched, flake, arguments);
  targets.wanted.push_back({.attribute = "evaluation",
                            .kind = TargetKind::evaluation,
                            .derivations = {watch.built().begin(), watch.built().end()}});
  return targets;
}

/// A changed copy of the flake and what it evaluates to.
struct ChangedCopy {
  std::string flake;
  Targets targets;
};

/// The most changed copy, evaluated without any build. Runs beside the flake's own evaluation, so
/// it says nothing and whatever goes wrong is left for the turn it has in `perturbed_graph`.
std::optional<ChangedCopy> first_changed_copy(Nix& nix,
                                              const FlakeArguments& arguments,
                                              const FlakeMetadata& metadata,
                                              const fs::path& scratch) {
  try {
    ChangedCopy copy{perturbed_flake(metadata, scratch, 0, nix.runner()), {}};
    auto targets = targets_without_builds(nix, copy.flake, arguments);
    if (!targets) {
      return std::nullopt;
    }
    copy.targets = std::move(*targets);
    return copy;
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    return std::nullopt;
  }
}

struct Perturbed {
  std::string flake;
  BuildGraph graph;
};

ChangedCopy changed_copy(Nix& nix,
                         const FlakeArguments& arguments,
                         const SeedInputs& inputs,
                         int how,
                         const fs::path& scratch) {
  ChangedCopy copy{perturbed_flake(inputs.metadata, scratch, how, nix.runner()), {}};
  copy.targets = inputs.imports ? targets_with_builds(nix, copy.flake, arguments)
                                : targets_of(nix, copy.flake, arguments);
  return copy;
}

/// Evaluates ever less perturbed copies until one has the same targets; `first` is the answer of
/// the first of them, where it is known.
std::optional<Perturbed> perturbed_graph(Nix& nix,
                                         const FlakeArguments& arguments,
                                         const SeedInputs& inputs,
                                         std::optional<ChangedCopy> first,
                                         const fs::path& scratch,
                                         Progress& progress) {
  for (const int how : {0, 1, 2}) {
    try {
      const ChangedCopy copy = how == 0 && first
                                   ? std::move(*first)
                                   : changed_copy(nix, arguments, inputs, how, scratch);
      if (attributes_of(copy.targets) == attributes_of(inputs.targets)) {
        return Perturbed{copy.flake, read_graph(derivations_of(copy.targets))};
      }
      const auto& skipped = copy.targets.skipped;
      progress.step(fmt::format("a changed copy has other outputs{}; changing less of it",
                                skipped.empty() ? ""
                                                : fmt::format(" ({} does not evaluate: {})",
                                                              skipped.front().attribute,
                                                              skipped.front().why.substr(0, 200))));
    } catch (const Interrupted&) {
      throw;
    } catch (const Error& error) {
      progress.step(fmt::format("a changed copy does not evaluate ({}); changing less of it",
                                error.message().substr(0, 200)));
    }
  }
  return std::nullopt;
}

/// Derivations whose inputs the seed provides: own ones; dev shells, which a job enters anew; and
/// every named output where what evaluation imports is the flake's own, since a change of it may
/// change any.
std::set<StorePath> builds_of(const SeedInputs& inputs) {
  const bool own_imports = std::ranges::any_of(inputs.targets.wanted, [&](const Target& target) {
    return target.kind == TargetKind::evaluation &&
           std::ranges::any_of(target.derivations,
                               [&](const StorePath& drv) { return inputs.own.contains(drv); });
  });
  std::set<StorePath> builds = inputs.own;
  for (const Target& target : inputs.targets.wanted) {
    if (target.kind == TargetKind::dev_shell || own_imports) {
      builds.insert(target.derivations.begin(), target.derivations.end());
    }
  }
  return builds;
}

/// Named outputs that no change of the source touches are held ready-made.
void add_finished_targets(SeedInputs& inputs) {
  for (const Target& target : inputs.targets.wanted) {
    for (const StorePath& drv : target.derivations) {
      if (!inputs.own.contains(drv) && target.kind != TargetKind::dev_shell) {
        for (const auto& [name, path] : inputs.graph.at(drv).outputs) {
          inputs.frontier.outputs[drv].insert(name);
        }
      }
    }
  }
}

void find_config(Nix& nix, const FlakeArguments& arguments, SeedInputs& inputs) {
  const std::string attribute =
      fmt::format("{}#packages.{}.seed", arguments.flake, arguments.system);
  const auto json = nix.eval_json(attribute, "s: s.nixSeed or null");
  if (!json || *json == "null") {
    return;
  }
  inputs.config = parse_seed_config(*json);
  const auto drv = nix.eval_json(attribute, "s: builtins.unsafeDiscardStringContext s.drvPath");
  if (drv && drv->size() > 2) {
    inputs.config_derivation = StorePath::parse(drv->substr(1, drv->size() - 2));
  }
}

/// The trees that evaluation reads. Not `seed-self`: it names this very seed, or the one before, so
/// a seed that held it would be another one with each record. Nor is it fetched where it is no
/// flake.
std::vector<StorePath> sources_of_flake(Nix& nix,
                                        const FlakeArguments& arguments,
                                        const SeedInputs& inputs,
                                        const fs::path& scratch) {
  std::vector<std::string> excluded;
  if (inputs.config) {
    excluded = inputs.config->exclude_inputs;
  }
  excluded.emplace_back(kSeedSelfInput);
  std::map<std::string, fs::path> instead;
  const fs::path lock =
      fs::path(inputs.metadata.source.to_string()) / inputs.metadata.subdir / "flake.lock";
  constexpr std::uint64_t kMaxLockBytes = 16 << 20;
  if (fs::is_regular_file(lock) && locks_plain_seed_self(os::read_file(lock, kMaxLockBytes))) {
    const fs::path empty = scratch / "no-seed-self";
    os::make_dirs(empty);
    instead.emplace(kSeedSelfInput, empty);
  }
  return nix.flake_archive(arguments.flake, excluded, instead);
}

}  // namespace

std::set<StorePath> dependents_of_source(const BuildGraph& graph, const StorePath& source) {
  // Inputs point down; walk each derivation's inputs once, remembering the answer.
  std::map<StorePath, bool> depends;
  const std::function<bool(const StorePath&)> visit = [&](const StorePath& drv) {
    if (const auto known = depends.find(drv); known != depends.end()) {
      return known->second;
    }
    const Derivation& derivation = graph.at(drv);
    bool result = derivation.input_srcs.contains(source);
    for (auto input = derivation.input_drvs.begin();
         !result && input != derivation.input_drvs.end();
         ++input) {
      result = visit(input->first);
    }
    depends[drv] = result;
    return result;
  };
  std::set<StorePath> found;
  for (const auto& [drv, derivation] : graph) {
    if (visit(drv)) {
      found.insert(drv);
    }
  }
  return found;
}

SeedInputs find_seed_inputs(Nix& nix,
                            const FlakeArguments& arguments,
                            const fs::path& scratch,
                            Progress& progress) {
  progress.step(
      fmt::format("evaluating {}, and a changed copy to tell its own derivations from its inputs",
                  arguments.flake));
  SeedInputs inputs{.metadata = nix.flake_metadata(arguments.flake)};
  auto beside =
      std::async(std::launch::async, [&, own = nix, metadata = inputs.metadata]() mutable {
        return first_changed_copy(own, arguments, metadata, scratch);
      });
  if (auto targets = targets_without_builds(nix, arguments.flake, arguments)) {
    inputs.targets = std::move(*targets);
  } else {
    progress.step("the flake imports from derivations: evaluating it builds them");
    inputs.imports = true;
    inputs.targets = targets_with_builds(nix, arguments.flake, arguments);
  }
  const std::vector<StorePath> roots = derivations_of(inputs.targets);
  find_config(nix, arguments, inputs);
  if (roots.empty() && inputs.config && inputs.targets.skipped.empty()) {
    return inputs;  // a flake that says what an image holds, and nothing else
  }
  if (roots.empty()) {
    throw UsageError(
        fmt::format(
            "the flake {} has no output to build for {}", arguments.flake, arguments.system),
        inputs.targets.skipped.empty()
            ? "add packages, checks, apps or devShells for this system, or name an attribute"
            : fmt::format("{} does not evaluate: {}",
                          inputs.targets.skipped.front().attribute,
                          inputs.targets.skipped.front().why));
  }
  inputs.graph = read_graph(roots);

  auto first = beside.get();
  if (inputs.imports) {
    first.reset();  // what it imports has to be built first
  }
  const auto perturbed =
      perturbed_graph(nix, arguments, inputs, std::move(first), scratch, progress);
  if (perturbed) {
    inputs.own = own_derivations(inputs.graph, perturbed->graph);
    inputs.changed_flake = perturbed->flake;
    inputs.changed_own = own_derivations(perturbed->graph, inputs.graph);
  } else {
    progress.notice(
        "no changed copy of the flake evaluates: own derivations are those that use "
        "its source path, which misses sources that the flake filters");
    inputs.own_by = OwnBy::source;
    inputs.own = dependents_of_source(inputs.graph, inputs.metadata.source);
  }
  if (inputs.own.empty()) {
    inputs.own.insert(roots.begin(), roots.end());
  }

  const std::set<StorePath> steady =
      perturbed ? sources_of(perturbed->graph) : sources_of(inputs.graph);
  inputs.frontier =
      frontier_of(inputs.graph, builds_of(inputs), inputs.own, [&](const StorePath& source) {
        return steady.contains(source) && source != inputs.metadata.source;
      });
  add_finished_targets(inputs);
  if (!perturbed) {
    inputs.changed_flake = arguments.flake;
    inputs.changed_own = inputs.own;
  }
  inputs.changed_folder =
      local_folder(perturbed ? inputs.changed_flake : inputs.metadata.reference);
  const std::set<StorePath> shells = builds_of(inputs);
  inputs.changed_own.insert(shells.begin(), shells.end());
  inputs.flake_sources = sources_of_flake(nix, arguments, inputs, scratch);
  return inputs;
}

}  // namespace seed::nix
