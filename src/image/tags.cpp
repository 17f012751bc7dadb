#include "image/tags.hpp"

#include <algorithm>
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

/// What the index `raw` holds, by system.
std::map<std::string, oci::Descriptor> images_in(const std::optional<oci::RawManifest>& raw) {
  std::map<std::string, oci::Descriptor> images;
  if (raw && raw->descriptor.media_type == oci::kIndexType) {
    for (oci::Descriptor& manifest : oci::parse_index(raw->bytes).manifests) {
      const auto found = manifest.annotations.find(std::string(kSystemAnnotation));
      if (found != manifest.annotations.end()) {
        const std::string system = found->second;
        images.insert_or_assign(system, std::move(manifest));
      }
    }
  }
  return images;
}

/// What `<tag>-<system>` names for each system but `own`.
std::map<std::string, oci::Descriptor> images_of_others(oci::Repository& repository,
                                                        const std::string& tag,
                                                        std::string_view own) {
  std::vector<std::string> systems = known_systems();
  std::erase(systems, own);
  std::vector<std::optional<oci::Descriptor>> heads(systems.size());
  os::for_each_index(systems.size(), static_cast<unsigned>(systems.size()), [&](std::size_t i) {
    heads[i] = repository.head_manifest(tag_of(tag, systems[i]));
  });
  std::map<std::string, oci::Descriptor> images;
  for (std::size_t i = 0; i < systems.size(); ++i) {
    if (heads[i] && heads[i]->media_type == oci::kManifestType) {
      images.emplace(systems[i],
                     describe_seed({.media_type = heads[i]->media_type,
                                    .digest = heads[i]->digest,
                                    .size_bytes = heads[i]->size_bytes},
                                   systems[i]));
    }
  }
  return images;
}

/// The images that belong into the index: ours; of other systems what `<tag>-<system>` names, which
/// is that system's own job's word, or else what the index has already.
ComingTag look_at(oci::Repository& repository,
                  const Image& image,
                  const std::string& system,
                  const std::string& tag,
                  const std::string& source) {
  const auto raw = repository.get_manifest(tag);
  std::map<std::string, oci::Descriptor> images = images_of_others(repository, tag, system);
  images.emplace(system, image.descriptor);
  images.merge(images_in(raw));
  std::vector<oci::Descriptor> manifests;
  for (const auto& [of, manifest] : images) {
    manifests.push_back(manifest);
  }
  return {.tag = tag,
          .named = raw ? std::optional(raw->descriptor.digest) : std::nullopt,
          .index = oci::to_json(make_index(std::move(manifests), source))};
}

std::optional<Digest> named_by(oci::Repository& repository, const std::string& tag) {
  const auto found = repository.head_manifest(tag);
  return found ? std::optional(found->digest) : std::nullopt;
}

/// Registries can't compare and swap, so two systems' jobs may each write an index without the
/// other. But each names its image by its own tag before it writes the index, and looks for the
/// others' after: whoever writes the index last finds the other's tag and puts it in.
oci::Descriptor write_tag(oci::Repository& repository,
                          const Image& image,
                          const std::string& system,
                          const ComingTag& coming,
                          const std::string& source) {
  const std::string& tag = coming.tag;
  const auto look = [&] { return look_at(repository, image, system, tag, source).index; };
  repository.put_manifest(oci::kManifestType, image.manifest, tag_of(tag, system));
  // Signing may have taken long enough for another system to come: it is not to be left out, not
  // even until we look again.
  std::string index = named_by(repository, tag) == coming.named ? coming.index : look();
  for (int attempt = 1; attempt <= kTagAttempts; ++attempt) {
    try {
      oci::Descriptor written = repository.put_manifest(oci::kIndexType, index, tag);
      ComingTag now = look_at(repository, image, system, tag, source);
      if (now.named == written.digest && now.index == index) {
        return written;
      }
      index = std::move(now.index);
    } catch (const IntegrityError&) {
      // Another index was under the tag right after ours was written.
      if (attempt == kTagAttempts) {
        throw;
      }
      index = look();
    }
  }
  throw NetworkError("other jobs keep writing this tag", "run again when they have ended");
}

}  // namespace

std::vector<ComingTag> coming_tags(oci::Repository& repository,
                                   const Image& image,
                                   const std::string& system,
                                   const std::vector<std::string>& tags,
                                   const std::string& source) {
  std::vector<ComingTag> coming(tags.size());
  os::for_each_index(tags.size(), static_cast<unsigned>(tags.size()), [&](std::size_t i) {
    coming[i] = look_at(repository, image, system, tags[i], source);
  });
  return coming;
}

std::vector<oci::Descriptor> put_indexes(oci::Repository& repository,
                                         const std::vector<ComingTag>& coming) {
  std::vector<oci::Descriptor> indexes;
  for (const ComingTag& tag : coming) {
    const Digest digest = Digest::of(bytes_of(tag.index));
    if (std::ranges::find(indexes, digest, &oci::Descriptor::digest) == indexes.end()) {
      indexes.push_back(repository.put_manifest(oci::kIndexType, tag.index, std::nullopt));
    }
  }
  return indexes;
}

oci::Descriptor write_coming_tags(oci::Repository& repository,
                                  const Image& image,
                                  const std::string& system,
                                  const std::vector<ComingTag>& coming,
                                  const std::string& source) {
  if (coming.empty()) {
    throw Error("an image needs at least one tag");
  }
  // Each tag takes several requests, one after the other; the tags don't wait for each other.
  std::vector<std::optional<oci::Descriptor>> written(coming.size());
  os::for_each_index(coming.size(), static_cast<unsigned>(coming.size()), [&](std::size_t i) {
    written[i] = while_doing("writing the tag " + coming[i].tag, [&] {
      return write_tag(repository, image, system, coming[i], source);
    });
  });
  return *written.back();
}

oci::Descriptor write_tags(oci::Repository& repository,
                           const Image& image,
                           const std::string& system,
                           const std::vector<std::string>& tags,
                           const std::string& source) {
  return write_coming_tags(
      repository, image, system, coming_tags(repository, image, system, tags, source), source);
}

}  // namespace seed::image
