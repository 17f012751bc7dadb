#include "image/assemble.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "image/rootfs.hpp"
#include "image/toc.hpp"

namespace seed::image {
namespace {

using nlohmann::json;

/// The member of the config that is ours. image-spec 1.1, config.md: "Any extra fields in the Image
/// JSON struct are considered implementation specific and MUST be ignored by any implementations
/// which are unable to interpret them."
constexpr const char* kSeedMember = "nix-seed";

/// "gcc-12.2.0, libc6-2.36 and 3 more": what `docker history` shows of a layer.
std::string layer_title(const PlannedLayer& layer) {
  std::vector<LayerPath> largest = layer.paths;
  std::ranges::sort(largest, [](const LayerPath& a, const LayerPath& b) {
    return std::pair(b.nar_size, a.path) < std::pair(a.nar_size, b.path);
  });
  std::string title;
  for (std::size_t i = 0; i < std::min<std::size_t>(largest.size(), 2); ++i) {
    title += title.empty() ? "" : ", ";
    title += largest[i].path.name();
  }
  if (largest.size() > 2) {
    title += fmt::format(" and {} more", largest.size() - 2);
  }
  return title;
}

json config_of(const ImageParts& parts) {
  json environment = json::array();
  for (const auto& [name, value] : parts.environment) {
    environment.push_back(name + "=" + value);
  }
  json diff_ids = json::array();
  json history = json::array();
  for (std::size_t i = 0; i < parts.store_layers.size(); ++i) {
    diff_ids.push_back(parts.store_layers[i].diff_id.to_string());
    history.push_back({{"created_by", "nix-seed: " + layer_title(parts.plan[i])}});
  }
  for (std::size_t i = 0; i < parts.own_layers.size(); ++i) {
    diff_ids.push_back(parts.own_layers[i].diff_id.to_string());
    history.push_back({{"created_by", "nix-seed: " + parts.own_names[i]}});
  }
  json run = {{"Env", environment},
              {"Cmd", parts.command},
              {"WorkingDir", "/"},
              {"Labels",
               {{std::string(kClosureLabel), parts.closure.to_string()},
                {std::string(kSystemLabel), parts.system}}}};
  if (!parts.entrypoint.empty()) {
    run["Entrypoint"] = parts.entrypoint;
  }
  return {{"architecture", architecture_of(parts.system)},
          {"os", "linux"},
          {"config", run},
          {"rootfs", {{"type", "layers"}, {"diff_ids", diff_ids}}},
          {"history", history},
          {kSeedMember,
           {{"system", parts.system},
            {"closure", parts.closure.to_string()},
            {"first", parts.first_reads},
            {"plan", json::parse(plan_to_json(parts.plan, parts.store_layers))}}}};
}

oci::Descriptor descriptor_of(const LayerBlob& blob) {
  oci::Descriptor layer{
      .media_type = blob.media_type, .digest = blob.digest, .size_bytes = blob.size_bytes};
  if (blob.toc) {
    annotate(layer, *blob.toc);
  }
  return layer;
}

SeedImageConfig read_config(const json& config) {
  const json& own = config.at(kSeedMember);
  SeedImageConfig result{.system = own.at("system").get<std::string>(),
                         .closure = Digest::parse(own.at("closure").get<std::string>()),
                         .plan = plan_from_json(own.at("plan").dump()),
                         .first_reads = own.value("first", std::vector<std::string>())};
  for (const json& diff_id : config.at("rootfs").at("diff_ids")) {
    result.diff_ids.push_back(Digest::parse(diff_id.get<std::string>()));
  }
  for (const json& entry : config.at("config").at("Env")) {
    const std::string text = entry.get<std::string>();
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) {
      result.environment[text.substr(0, equals)] = text.substr(equals + 1);
    }
  }
  return result;
}

}  // namespace

Image assemble(const ImageParts& parts) {
  std::string config = config_of(parts).dump();
  oci::Manifest manifest{.config = oci::describe(oci::kConfigType, config)};
  for (const LayerBlob& blob : parts.store_layers) {
    manifest.layers.push_back(descriptor_of(blob));
  }
  for (const LayerBlob& blob : parts.own_layers) {
    manifest.layers.push_back(descriptor_of(blob));
  }
  std::string bytes = oci::to_json(manifest);
  oci::Descriptor descriptor =
      describe_seed(oci::describe(oci::kManifestType, bytes), parts.system);
  return {std::move(config), std::move(bytes), std::move(manifest), std::move(descriptor)};
}

oci::Descriptor describe_seed(oci::Descriptor manifest, std::string_view system) {
  manifest.platform = oci::Platform{.os = "linux", .architecture = architecture_of(system)};
  manifest.annotations[std::string(kSystemAnnotation)] = system;
  return manifest;
}

SeedImageConfig parse_seed_image_config(std::string_view text) {
  const json config = json::parse(text, nullptr, false);
  if (!config.is_object() || !config.contains(kSeedMember)) {
    throw FormatError("the image config has no nix-seed member: this is not a seed",
                      "name an image that 'nix-seed seed' made");
  }
  try {
    return read_config(config);
  } catch (const json::exception& error) {
    throw FormatError(fmt::format("the image config is malformed: {}", printable(error.what())));
  }
}

oci::Index make_index(std::vector<oci::Descriptor> manifests, const std::string& source) {
  std::ranges::sort(manifests, {}, [](const oci::Descriptor& manifest) {
    const auto system = manifest.annotations.find(std::string(kSystemAnnotation));
    return std::pair(system == manifest.annotations.end() ? "" : system->second, manifest.digest);
  });
  oci::Index index{.manifests = std::move(manifests)};
  if (!source.empty()) {
    index.annotations["org.opencontainers.image.source"] = source;
  }
  return index;
}

}  // namespace seed::image
