#include "nix/seed_inputs.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/evaluation_watch.hpp"
#include "nix/perturb.hpp"
#include "nix/seed_self.hpp"
#include "os/file.hpp"
#include "os/parallel.hpp"

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

struct Perturbed {
  std::string flake;
  BuildGraph graph;
};

/// Evaluates ever less perturbed copies until one has the same targets.
std::optional<Perturbed> perturbed_graph(Nix& nix,
                                         const FlakeArguments& arguments,
                                         const SeedInputs& inputs,
                                         const fs::path& scratch,
                                         Progress& progress) {
  for (const int how : {0, 1, 2}) {
    try {
      const std::string flake = perturbed_flake(inputs.metadata, scratch, how, nix.runner());
      const Targets targets = inputs.imports ? targets_with_builds(nix, flake, arguments)
                                             : targets_of(nix, flake, arguments);
      if (attributes_of(targets) == attributes_of(inputs.targets)) {
        return Perturbed{flake, read_graph(derivations_of(targets))};
      }
      progress.step(fmt::format("a changed copy has other outputs{}; changing less of it",
                                targets.skipped.empty()
                                    ? ""
                                    : fmt::format(" ({} does not evaluate: {})",
                                                  targets.skipped.front().attribute,
                                                  targets.skipped.front().why.substr(0, 200))));
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

/// RFC 3986, section 2.3 and 3.3: unreserved characters, slashes and those of `more` stay.
std::string percent_encoded(std::string_view text, std::string_view more = "") {
  std::string encoded;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos ||
                       more.find(c) != std::string_view::npos;
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

/// A '%' that two hex digits do not follow stands for itself.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? from_hex(to_lower(text.substr(i + 1, 2))) : std::nullopt;
    if (byte && byte->size() == 1) {
      decoded += static_cast<char>(byte->front());
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

/// Runs git in `folder` and nowhere else: a hook that started us has pointed git at its own
/// repository by the variables below, and they win over -C.
void run_git(os::Runner& runner,
             const fs::path& folder,
             const std::vector<std::string>& arguments) {
  os::Command command;
  command.argv = {"git",
                  "-C",
                  folder.string(),
                  "-c",
                  "user.name=nix-seed",
                  "-c",
                  "user.email=nix-seed@invalid",
                  "-c",
                  "commit.gpgsign=false",
                  "-c",
                  "core.autocrlf=false",
                  "-c",
                  "core.hooksPath=/dev/null"};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.extra = {{"GIT_CONFIG_GLOBAL", "/dev/null"}, {"GIT_CONFIG_SYSTEM", "/dev/null"}};
  command.unset = {"GIT_DIR",
                   "GIT_WORK_TREE",
                   "GIT_INDEX_FILE",
                   "GIT_COMMON_DIR",
                   "GIT_OBJECT_DIRECTORY",
                   "GIT_ALTERNATE_OBJECT_DIRECTORIES",
                   "GIT_NAMESPACE",
                   "GIT_PREFIX",
                   "GIT_TEMPLATE_DIR",
                   "GIT_CONFIG",
                   "GIT_CONFIG_COUNT",
                   "GIT_CONFIG_PARAMETERS"};
  const os::Captured result = os::capture(runner, command);
  if (!result.exit.ok()) {
    throw Error(fmt::format("git {} failed in a copy of the flake: {}",
                            arguments.front(),
                            printable(trim(result.err), 500)),
                "run it yourself: " + os::to_shell(command.argv));
  }
}

}  // namespace

std::string perturbed_flake(const FlakeMetadata& metadata,
                            const fs::path& scratch,
                            int how,
                            os::Runner& runner) {
  const fs::path copy = scratch / fmt::format("perturbed-{}", how);
  if (fs::exists(copy)) {
    os::remove_tree(copy);
  }
  copy_perturbed(metadata.source.to_string(), copy, static_cast<Perturbation>(how));
  return flake_in(copy, metadata, runner);
}

std::string flake_in(const fs::path& folder, const FlakeMetadata& metadata, os::Runner& runner) {
  // Nix 2.8 does not decode `path:`, so nothing is encoded without need.
  const std::string url =
      percent_encoded(folder.string(), "!$&'()*+,;=:@") +
      (metadata.subdir.empty() ? "" : "?dir=" + percent_encoded(metadata.subdir));
  if (!metadata.reference.starts_with("git+")) {
    return "path:" + url;
  }
  // A commit of its own, so that what depends on self.rev or self.lastModified differs too.
  run_git(runner, folder, {"init", "-q"});
  run_git(runner, folder, {"add", "-A", "-f"});
  if (!metadata.revision.empty()) {
    run_git(runner, folder, {"commit", "-q", "-m", "perturbed"});
  }
  return "git+file://" + url;
}

fs::path local_folder(std::string_view reference) {
  for (const std::string_view prefix : {"git+file://", "path:"}) {
    if (reference.starts_with(prefix)) {
      reference.remove_prefix(prefix.size());
      return percent_decoded(reference.substr(0, reference.find('?')));
    }
  }
  return {};
}

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
  progress.step("evaluating " + arguments.flake);
  SeedInputs inputs{.metadata = nix.flake_metadata(arguments.flake)};
  if (auto targets = targets_without_builds(nix, arguments.flake, arguments)) {
    inputs.targets = std::move(*targets);
  } else {
    progress.step("the flake imports from derivations: evaluating it builds them");
    inputs.imports = true;
    inputs.targets = targets_with_builds(nix, arguments.flake, arguments);
  }
  const std::vector<StorePath> roots = derivations_of(inputs.targets);
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

  progress.step("evaluating a changed copy, to tell the flake's own derivations from its inputs");
  const auto perturbed = perturbed_graph(nix, arguments, inputs, scratch, progress);
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
  find_config(nix, arguments, inputs);
  inputs.flake_sources = sources_of_flake(nix, arguments, inputs, scratch);
  return inputs;
}

}  // namespace seed::nix
