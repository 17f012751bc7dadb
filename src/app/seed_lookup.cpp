#include "app/seed_lookup.hpp"

#include "app/attest.hpp"
#include "base/error.hpp"
#include "image/tags.hpp"

namespace seed::app {

std::optional<image::FoundSeed> find_ours(oci::Repository& repository,
                                          const oci::Target& target,
                                          const std::string& system) {
  try {
    return image::find_seed(repository, target, system);
  } catch (const FormatError&) {
    return std::nullopt;
  }
}

bool leads_to(oci::Repository& repository,
              const std::string& tag,
              const std::string& system,
              const Digest& manifest) {
  try {
    return image::find_digest(repository, tag, system) == manifest;
  } catch (const FormatError&) {
    return false;
  }
}

std::optional<KnownSeed> find_fitting(oci::Repository& repository,
                                      const Project& project,
                                      const std::string& system,
                                      const std::string& fingerprint) {
  auto seed = find_ours(repository, fingerprint, system);
  if (!seed) {
    return std::nullopt;
  }
  const Digest manifest = seed->manifest.digest;
  KnownSeed known{.seed = *std::move(seed), .index = manifest};
  known.named = leads_to(repository, project.tag, system, manifest) &&
                leads_to(repository, project.key, system, manifest);
  if (known.named) {
    if (const auto index = repository.head_manifest(project.tag)) {
      known.index = index->digest;
    }
  }
  return known;
}

std::optional<KnownSeed> find_older(oci::Repository& repository,
                                    const Project& project,
                                    const std::string& system) {
  for (const std::string& tag : {project.tag, project.key}) {
    if (auto seed = find_ours(repository, tag, system)) {
      const auto index = repository.head_manifest(tag);
      const Digest digest = index ? index->digest : seed->manifest.digest;
      return KnownSeed{.seed = *std::move(seed), .index = digest};
    }
  }
  return std::nullopt;
}

Digest add_tags(oci::Repository& repository,
                const KnownSeed& known,
                const Project& project,
                const std::string& system) {
  const auto raw = repository.get_manifest(known.seed.manifest.digest);
  if (!raw) {
    throw Error(known.seed.manifest.digest.to_string() + " is gone from the registry",
                "run again: the seed is made anew");
  }
  image::Image image{.manifest = raw->bytes,
                     .parsed = known.seed.parsed,
                     .descriptor = image::describe_seed(known.seed.manifest, system)};
  return image::write_tags(
             repository, image, system, {project.tag, project.key}, source_of(project))
      .digest;
}

}  // namespace seed::app
