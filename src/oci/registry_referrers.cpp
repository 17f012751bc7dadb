#include <algorithm>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/limits.hpp"
#include "oci/registry_repository.hpp"

namespace seed::oci {
namespace {

constexpr unsigned kMaxRaces = 12;
/// Longer than another writer takes from its read to its write.
constexpr std::chrono::milliseconds kSettle{300};

void keep_type(std::vector<Descriptor>& list, const std::string& artifact_type) {
  std::erase_if(list, [&](const Descriptor& entry) {
    return !artifact_type.empty() && entry.artifact_type != artifact_type;
  });
}

bool lists(const Index& index, const Digest& digest) {
  return std::any_of(index.manifests.begin(), index.manifests.end(), [&](const Descriptor& entry) {
    return entry.digest == digest;
  });
}

std::optional<Index> parse_if_index(std::string_view json) {
  try {
    return parse_index(json);
  } catch (const FormatError&) {
    return std::nullopt;
  }
}

}  // namespace

std::string fallback_tag(const Digest& subject) {
  return "sha256-" + subject.hex();
}

std::vector<Descriptor> RegistryRepository::referrers(const Digest& subject,
                                                      const std::string& artifact_type) {
  auto list = referrers_by_api(subject, artifact_type);
  if (!list) {
    list = fallback_index(subject).manifests;
  }
  keep_type(*list, artifact_type);
  return *list;
}

/// Nothing where the registry has no such API: a 404, or a 200 with something else in it.
std::optional<std::vector<Descriptor>> RegistryRepository::referrers_by_api(
    const Digest& subject, const std::string& artifact_type) {
  std::string url = session_.url("referrers/" + subject.to_string());
  if (!artifact_type.empty()) {
    url += "?artifactType=" + percent_encode(artifact_type);
  }
  std::vector<Descriptor> list;
  const bool answered = for_each_page(url, [&](const http::Response& response) {
    auto index = parse_if_index(response.body);
    if (!index) {
      return false;
    }
    std::move(index->manifests.begin(), index->manifests.end(), std::back_inserter(list));
    return true;
  });
  return answered ? std::optional(std::move(list)) : std::nullopt;
}

Index RegistryRepository::fallback_index(const Digest& subject) {
  const std::string tag = fallback_tag(subject);
  const auto manifest = get_manifest(tag);
  if (!manifest) {
    return {};
  }
  return while_doing(fmt::format("reading the referrers tag {}", tag),
                     [&] { return parse_index(manifest->bytes); });
}

/// The registry can't add to a list atomically, so we read, add, write, wait until a writer that
/// read before us has written, and look again whether our entry is still there.
void RegistryRepository::list_under_fallback_tag(const Digest& subject,
                                                 const Descriptor& referrer) {
  const std::scoped_lock lock(fallback_mutex_);
  const std::string tag = fallback_tag(subject);
  for (unsigned races = 0; races < kMaxRaces; ++races) {
    Index index = fallback_index(subject);
    if (lists(index, referrer.digest)) {
      return;
    }
    index.manifests.push_back(referrer);
    const std::string bytes = to_json(index);
    store_manifest(describe(kIndexType, bytes), bytes, tag);
    session_.clock().sleep(kSettle);
  }
  throw NetworkError(
      fmt::format(
          "{}: other writers of the tag {} took our entry out {} times", name(), tag, kMaxRaces),
      "try again later",
      0,
      true);
}

Descriptor RegistryRepository::put_referrer(const Manifest& manifest) {
  return put_raw_referrer(to_json(manifest));
}

Descriptor RegistryRepository::put_raw_referrer(std::string_view bytes) {
  const Manifest manifest = parse_manifest(bytes);
  if (!manifest.subject) {
    throw FormatError("a referrer without a subject");
  }
  Descriptor descriptor = describe(kManifestType, bytes);
  const http::Headers headers = store_manifest(descriptor, bytes, descriptor.digest);
  check_stored(descriptor, descriptor.digest);
  // distribution-spec, "Pushing Manifests with Subject": without this header the client keeps the
  // list itself.
  if (headers.get("OCI-Subject") == manifest.subject->digest.to_string()) {
    return descriptor;
  }
  descriptor.annotations = manifest.annotations;
  descriptor.artifact_type =
      manifest.artifact_type.empty() ? manifest.config.media_type : manifest.artifact_type;
  list_under_fallback_tag(manifest.subject->digest, descriptor);
  return descriptor;
}

}  // namespace seed::oci
