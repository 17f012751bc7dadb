#include "image/job_image.hpp"

#include <algorithm>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "image/assemble.hpp"
#include "image/rootfs.hpp"
#include "oci/limits.hpp"

namespace seed::image {
namespace {

using nlohmann::json;

std::vector<std::string> texts_of(const json& object, const char* member) {
  std::vector<std::string> texts;
  if (object.contains(member) && !object.at(member).is_null()) {
    object.at(member).get_to(texts);
  }
  return texts;
}

RunConfig read_run_config(const json& config) {
  RunConfig result;
  result.os = config.value("os", "");
  result.architecture = config.value("architecture", "");
  const auto run = config.find("config");
  if (run == config.end() || run->is_null()) {
    return result;
  }
  for (const std::string& text : texts_of(*run, "Env")) {
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) {
      result.environment[text.substr(0, equals)] = text.substr(equals + 1);
    }
  }
  result.user = run->value("User", "");
  result.entrypoint = texts_of(*run, "Entrypoint");
  if (run->contains("Labels") && !run->at("Labels").is_null()) {
    run->at("Labels").get_to(result.labels);
  }
  return result;
}

std::optional<oci::RawManifest> manifest_for(oci::Repository& repository,
                                             const oci::Target& target,
                                             std::string_view system,
                                             oci::Annotations& annotations) {
  auto raw = repository.get_manifest(target);
  if (!raw || (raw->descriptor.media_type != oci::kIndexType &&
               raw->descriptor.media_type != oci::kDockerListType)) {
    return raw;
  }
  const oci::Index index = oci::parse_index(raw->bytes);
  annotations = index.annotations;
  const std::string architecture = architecture_of(system);
  const auto fits = [&](const oci::Descriptor& manifest) {
    const auto named = manifest.annotations.find(std::string(kSystemAnnotation));
    return named != manifest.annotations.end()
               ? named->second == system
               : manifest.platform && manifest.platform->os == "linux" &&
                     manifest.platform->architecture == architecture;
  };
  const auto found = std::ranges::find_if(index.manifests, fits);
  return found == index.manifests.end() ? std::nullopt : repository.get_manifest(found->digest);
}

}  // namespace

RunConfig parse_run_config(std::string_view text) {
  const json config = json::parse(text, nullptr, false);
  try {
    if (config.is_object()) {
      return read_run_config(config);
    }
  } catch (const json::exception& error) {
    throw FormatError(fmt::format("the image config is malformed: {}", printable(error.what())));
  }
  throw FormatError("the image config is no JSON object");
}

JobImage read_job_image(oci::Repository& repository,
                        const oci::Target& target,
                        std::string_view system,
                        unsigned workers) {
  oci::Annotations annotations;
  const auto raw = manifest_for(repository, target, system, annotations);
  if (!raw) {
    throw UsageError(fmt::format("{} has no such image for {}", repository.name(), system),
                     "name another tag or --system");
  }
  const oci::Manifest manifest = oci::parse_manifest(raw->bytes);
  annotations.insert(manifest.annotations.begin(), manifest.annotations.end());
  if (manifest.config.size_bytes > oci::kMaxConfigBytes) {
    throw FormatError(fmt::format("the image config has {} bytes", manifest.config.size_bytes));
  }
  std::string config;
  repository.get_blob(manifest.config, [&](ByteView chunk) { config += text_of(chunk); });
  return {.manifest = raw->descriptor,
          .config = parse_run_config(config),
          .tree = read_image_tree(repository, manifest, workers),
          .annotations = std::move(annotations)};
}

}  // namespace seed::image
