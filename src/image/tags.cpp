#include "image/tags.hpp"

#include <map>
#include <optional>

#include <fmt/core.h>

#include "base/error.hpp"
#include "image/rootfs.hpp"
#include "os/parallel.hpp"

namespace seed::image {
namespace {

constexpr int kTagAttempts = 5;

std::string tag_of(const std::string& tag, std::string_view system) {
  return fmt::format("{}-{}", tag, system);
}

/// The images that belong into the index `tag`, by system: what `<tag>-<system>` names, which is
/// that system's own job's word, or else what the index has already.
std::map<std::string, oci::Descriptor> images_of(oci::Repository& repository,
                                                 const std::string& tag) {
  std::map<std::string, oci::Descriptor> images;
  const auto raw = repository.get_manifest(tag);
  if (raw && raw->descriptor.media_type == oci::kIndexType) {
    for (oci::Descriptor& manifest : oci::parse_index(raw->bytes).manifests) {
      const auto found = manifest.annotations.find(std::string(kSystemAnnotation));
      if (found != manifest.annotations.end()) {
        const std::string system = found->second;
        images.insert_or_assign(system, std::move(manifest));
      }
    }
  }
  const std::vector<std::string> systems = known_systems();
  std::vector<std::optional<oci::Descriptor>> heads(systems.size());
  os::for_each_index(systems.size(), static_cast<unsigned>(systems.size()), [&](std::size_t i) {
    heads[i] = repository.head_manifest(tag_of(tag, systems[i]));
  });
  for (std::size_t i = 0; i < systems.size(); ++i) {
    if (heads[i] && heads[i]->media_type == oci::kManifestType) {
      images.insert_or_assign(systems[i],
                              describe_seed({.media_type = heads[i]->media_type,
                                             .digest = heads[i]->digest,
                                             .size_bytes = heads[i]->size_bytes},
                                            systems[i]));
    }
  }
  return images;
}

std::string index_of(const std::map<std::string, oci::Descriptor>& images,
                     const std::string& source) {
  std::vector<oci::Descriptor> manifests;
  for (const auto& [system, manifest] : images) {
    manifests.push_back(manifest);
  }
  return oci::to_json(make_index(std::move(manifests), source));
}

std::string wanted_index(oci::Repository& repository,
                         const Image& image,
                         std::string_view system,
                         const std::string& tag,
                         const std::string& source) {
  auto images = images_of(repository, tag);
  images.insert_or_assign(std::string(system), image.descriptor);
  return index_of(images, source);
}

/// Writes the index `tag`; nothing where it has to be written again because another system's job
/// wrote meanwhile.
std::optional<oci::Descriptor> write_index(oci::Repository& repository,
                                           const Image& image,
                                           std::string_view system,
                                           const std::string& tag,
                                           const std::string& source) {
  const auto wanted = [&] { return wanted_index(repository, image, system, tag, source); };
  const std::string index = wanted();
  oci::Descriptor written = repository.put_manifest(oci::kIndexType, index, tag);
  const auto now = repository.head_manifest(tag);
  return now && now->digest == written.digest && wanted() == index ? std::optional(written)
                                                                   : std::nullopt;
}

/// Registries can't compare and swap, so two systems' jobs may each write an index without the
/// other. But each names its image by its own tag before it looks for the others', and looks again
/// after it wrote: whoever writes the index last finds the other's tag and puts it in.
oci::Descriptor write_tag(oci::Repository& repository,
                          const Image& image,
                          std::string_view system,
                          const std::string& tag,
                          const std::string& source) {
  repository.put_manifest(oci::kManifestType, image.manifest, tag_of(tag, system));
  for (int attempt = 1;; ++attempt) {
    try {
      if (const auto written = write_index(repository, image, system, tag, source)) {
        return *written;
      }
    } catch (const IntegrityError&) {
      // Another index was under the tag right after ours was written.
      if (attempt == kTagAttempts) {
        throw;
      }
    }
    if (attempt == kTagAttempts) {
      throw NetworkError("other jobs keep writing this tag", "run again when they have ended");
    }
  }
}

}  // namespace

oci::Descriptor put_index(oci::Repository& repository,
                          const Image& image,
                          std::string_view system,
                          const std::string& tag,
                          const std::string& source) {
  return repository.put_manifest(
      oci::kIndexType, wanted_index(repository, image, system, tag, source), std::nullopt);
}

oci::Descriptor write_tags(oci::Repository& repository,
                           const Image& image,
                           std::string_view system,
                           const std::vector<std::string>& tags,
                           const std::string& source) {
  if (tags.empty()) {
    throw Error("an image needs at least one tag");
  }
  // Each tag takes several requests, one after the other; the tags don't wait for each other.
  std::vector<std::optional<oci::Descriptor>> written(tags.size());
  os::for_each_index(tags.size(), static_cast<unsigned>(tags.size()), [&](std::size_t i) {
    written[i] = while_doing("writing the tag " + tags[i],
                             [&] { return write_tag(repository, image, system, tags[i], source); });
  });
  return *written.back();
}

}  // namespace seed::image
