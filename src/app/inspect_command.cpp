#include <array>
#include <cstdio>
#include <filesystem>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/project.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "image/publish.hpp"

namespace seed::app {
namespace {

constexpr std::array kOptions{
    OptionSpec{"system", "SYSTEM", "Nix system; default: this machine's"},
    OptionSpec{"insecure", "", "speak plain http to the registry"},
    OptionSpec{"json", "", "print the result as JSON"},
};

nlohmann::json to_json(const image::FoundSeed& seed,
                       const std::vector<oci::Descriptor>& referrers) {
  nlohmann::json layers = nlohmann::json::array();
  for (const image::PlannedLayer& layer : seed.config.plan) {
    nlohmann::json paths = nlohmann::json::object();
    for (const image::LayerPath& path : layer.paths) {
      paths[path.path.base_name()] = path.nar_size;
    }
    layers.push_back({{"digest", layer.reuse->digest.to_string()},
                      {"size", layer.reuse->size_bytes},
                      {"paths", paths}});
  }
  nlohmann::json attached = nlohmann::json::array();
  for (const oci::Descriptor& referrer : referrers) {
    attached.push_back({{"digest", referrer.digest.to_string()}, {"type", referrer.artifact_type}});
  }
  return {{"manifest", seed.manifest.digest.to_string()},
          {"system", seed.config.system},
          {"closure", seed.config.closure.to_string()},
          {"layers", layers},
          {"referrers", attached}};
}

std::string to_text(const image::FoundSeed& seed, const std::vector<oci::Descriptor>& referrers) {
  std::uint64_t bytes = 0;
  std::size_t paths = 0;
  for (const oci::Descriptor& layer : seed.parsed.layers) {
    bytes += layer.size_bytes;
  }
  for (const image::PlannedLayer& layer : seed.config.plan) {
    paths += layer.paths.size();
  }
  std::string text = fmt::format("manifest  {}\nsystem    {}\nclosure   {}\n",
                                 seed.manifest.digest.to_string(),
                                 seed.config.system,
                                 seed.config.closure.to_string());
  text += fmt::format("layers    {}, {} to pull, {} store paths\n",
                      seed.parsed.layers.size(),
                      human_size(bytes),
                      paths);
  for (const oci::Descriptor& referrer : referrers) {
    text += fmt::format("referrer  {} {}\n", referrer.digest.to_string(), referrer.artifact_type);
  }
  return text;
}

int run_inspect(const World& world, const Options& options) {
  if (options.positional().size() != 1) {
    throw UsageError("inspect: name one image", "nix-seed inspect ghcr.io/acme/app-seed:latest");
  }
  OpenRepository open = open_repository(world, options, options.positional().front());
  const std::string system = options.get("system").value_or(machine_system());
  const oci::Target target = open.reference.digest()
                                 ? oci::Target(*open.reference.digest())
                                 : oci::Target(open.reference.tag().value_or("latest"));
  const auto seed = while_doing("reading " + open.reference.to_string(),
                                [&] { return image::find_seed(*open.repository, target, system); });
  if (!seed) {
    if (open.reference.is_layout() && !std::filesystem::exists(open.reference.layout_path())) {
      throw UsageError(fmt::format("there is no image layout {}", open.reference.layout_path()),
                       "an image is HOST/NAME:TAG, or oci:PATH:TAG with the folder's path");
    }
    throw UsageError(fmt::format("{} has no seed for {}", open.reference.to_string(), system),
                     "name another tag or --system, or make the seed with 'nix-seed seed'");
  }
  const auto referrers = open.repository->referrers(seed->manifest.digest, "");
  const std::string text =
      options.flag("json") ? to_json(*seed, referrers).dump(2) + "\n" : to_text(*seed, referrers);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return 0;
}

}  // namespace

const Command kInspectCommand{
    "inspect",
    "IMAGE",
    "show what is in a seed",
    "Closure, layers, sizes and referrers of an image, read from its manifest and config alone.",
    kOptions,
    run_inspect,
    "nix-seed inspect ghcr.io/acme/app-seed:latest"};

}  // namespace seed::app
