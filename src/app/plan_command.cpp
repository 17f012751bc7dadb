#include <array>
#include <cstdio>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/registry.hpp"
#include "app/seeding.hpp"
#include "base/text.hpp"

namespace seed::app {
namespace {

constexpr std::array kOptions{
    OptionSpec{"registry", "REF", "repository for seeds: HOST/NAME or oci:PATH"},
    OptionSpec{"system", "SYSTEM", "Nix system of the seed; default: this machine's"},
    OptionSpec{"previous", "REF", "tag or digest of the seed to plan layers against"},
    OptionSpec{"compression", "ALGORITHM", "zstd (default) or gzip"},
    OptionSpec{"layers", "N", "at most N layers for store paths; default 96"},
    OptionSpec{"insecure", "", "speak plain http to the registry"},
    OptionSpec{"json", "", "print the plan as JSON"},
};

nlohmann::json to_json(const Contents& contents, const image::LayerPlan& plan) {
  nlohmann::json layers = nlohmann::json::array();
  for (const image::PlannedLayer& layer : plan) {
    nlohmann::json paths = nlohmann::json::object();
    for (const image::LayerPath& path : layer.paths) {
      paths[path.path.base_name()] = path.nar_size;
    }
    layers.push_back({{"paths", paths}, {"reused", layer.reuse.has_value()}});
  }
  nlohmann::json targets = nlohmann::json::array();
  for (const nix::Target& target : contents.inputs.targets.wanted) {
    targets.push_back(target.attribute);
  }
  nlohmann::json own = nlohmann::json::array();
  for (const nix::StorePath& drv : contents.inputs.own) {
    own.push_back(drv.to_string());
  }
  return {{"closure", contents.closure.digest().to_string()},
          {"paths", contents.closure.paths().size()},
          {"narSize", contents.closure.nar_size()},
          {"targets", targets},
          {"ownDerivations", own},
          {"tools", contents.tools.origin},
          {"layers", layers}};
}

std::string to_text(const Contents& contents, const image::LayerPlan& plan) {
  std::uint64_t fresh_bytes = 0;
  std::size_t fresh = 0;
  for (const image::PlannedLayer& layer : plan) {
    fresh += layer.reuse ? 0 : 1;
    fresh_bytes += layer.reuse ? 0 : layer.nar_size();
  }
  std::string text = fmt::format("closure {}: {} paths, {}\n",
                                 contents.closure.digest().to_string(),
                                 contents.closure.paths().size(),
                                 human_size(contents.closure.nar_size()));
  text += fmt::format("{} layers, {} of them reused; {} to pack\n",
                      plan.size(),
                      plan.size() - fresh,
                      human_size(fresh_bytes));
  text += fmt::format("tools: {}\n", contents.tools.origin);
  for (const nix::StorePath& drv : contents.inputs.own) {
    text += fmt::format("a job builds {}\n", drv.to_string());
  }
  for (const std::string& notice : contents.notices) {
    text += fmt::format("note: {}\n", notice);
  }
  return text;
}

int run_plan(const World& world, const Options& options) {
  Stopwatch stopwatch(world.journal);
  const Project project = find_project(world, options.positional());
  const std::string system = options.get("system").value_or(machine_system());
  check_options(world, options, system);
  OpenRepository open = open_repository(world, options, registry_for(world, options, project));
  nix::Nix nix(world.runner, world.progress, "nix");
  const Workspace workspace(usable_cache(world.environment));
  const Contents contents = find_contents(world, project, nix, system, workspace.path(), stopwatch);
  const auto previous = find_previous(*open.repository, options, project, system);
  const image::LayerPlan plan =
      plan_contents(contents, *open.repository, previous, compression_of(options), options);
  const std::string text =
      options.flag("json") ? to_json(contents, plan).dump(2) + "\n" : to_text(contents, plan);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace

const Command kPlanCommand{
    "plan",
    "[FLAKE[#ATTR]...]",
    "show what a seed would hold; push nothing",
    "Evaluates the flake, realises its inputs in the local store and prints closure and layers.",
    kOptions,
    run_plan,
    "nix-seed plan --json"};

}  // namespace seed::app
