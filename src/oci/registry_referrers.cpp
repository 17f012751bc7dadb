#include <algorithm>
#include <chrono>
#include <random>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/limits.hpp"
#include "oci/registry_repository.hpp"

namespace seed::oci {
namespace {

/// Ten writers at once need about as many rounds as they are.
constexpr unsigned kMaxRounds = 60;
/// Longer than another writer takes from its read to its write, where the registry is quick; and
/// twice our own time from read to write, where it is not.
constexpr std::chrono::milliseconds kSettle{300};
constexpr std::chrono::milliseconds kMaxSettle{10'000};
/// How often in a row our entry has to be seen where others write too.
constexpr unsigned kSightings = 2;

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

/// Writers that lost one race to each other must not meet in the next: each waits another time,
/// from one to two times `settle`.
std::chrono::milliseconds jittered(std::chrono::milliseconds settle) {
  thread_local std::minstd_rand random{std::random_device{}()};
  return settle + std::chrono::milliseconds(
                      std::uniform_int_distribution<std::int64_t>(0, settle.count())(random));
}

/// Adds to `seen` what is in `index`, and to `index` what is only in `seen`.
void unite(std::vector<Descriptor>& seen, Index& index) {
  for (const Descriptor& entry : index.manifests) {
    const auto same = [&](const Descriptor& other) { return other.digest == entry.digest; };
    if (std::none_of(seen.begin(), seen.end(), same)) {
      seen.push_back(entry);
    }
  }
  for (const Descriptor& entry : seen) {
    if (!lists(index, entry.digest)) {
      index.manifests.push_back(entry);
    }
  }
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

ReferrerList RegistryRepository::list_referrers(const Digest& subject) {
  if (auto list = referrers_by_api(subject, "")) {
    return {*std::move(list), "referrers API"};
  }
  return {fallback_index(subject).manifests, "referrers tag"};
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

/// Writes the list under `tag`. Registries refuse one with an entry that is gone, as after a
/// clean-up that did not know of the list: such entries are left out, and taken out of `seen`.
std::vector<Descriptor> RegistryRepository::store_list(const std::string& tag,
                                                       Index index,
                                                       std::vector<Descriptor>& seen) {
  const auto store = [&] {
    const std::string bytes = to_json(index);
    store_manifest(describe(kIndexType, bytes), bytes, tag);
  };
  try {
    store();
  } catch (const NetworkError& error) {
    const auto gone = [&](const Descriptor& entry) { return !head_manifest(entry.digest); };
    if ((error.status() != 400 && error.status() != 404) ||
        std::erase_if(index.manifests, gone) == 0) {
      throw;
    }
    std::erase_if(seen, [&](const Descriptor& entry) { return !lists(index, entry.digest); });
    store();
  }
  return std::move(index.manifests);
}

/// The registry can't add to a list atomically, so we read, add, write, wait until a writer that
/// read before us has written, and look again whether our entry is still there. What we have seen
/// there and another writer took out, as it did not see it, we put in again.
void RegistryRepository::list_under_fallback_tag(const Digest& subject,
                                                 const Descriptor& referrer) {
  const std::scoped_lock lock(fallback_mutex_);
  const std::string tag = fallback_tag(subject);
  std::vector<Descriptor> seen;
  std::vector<Descriptor> written;
  std::chrono::milliseconds settle = kSettle;
  unsigned sightings = 0;
  for (unsigned rounds = 0; rounds < kMaxRounds; ++rounds) {
    const Time read_at = session_.clock().now();
    Index index = fallback_index(subject);
    const std::vector<Descriptor> found = index.manifests;
    const bool listed = lists(index, referrer.digest);
    sightings = listed ? sightings + 1 : 0;
    unite(seen, index);
    // At the first look: an earlier run wrote it. As we wrote it: we are alone.
    const bool quiet = rounds == 0 || found == written;
    if (listed && index.manifests == found && (quiet || sightings >= kSightings)) {
      return;
    }
    if (!listed) {
      seen.push_back(referrer);
      unite(seen, index);
    }
    if (index.manifests != found) {
      written = store_list(tag, index, seen);
      const std::chrono::milliseconds took = session_.clock().now() - read_at;
      settle = std::clamp(2 * took, settle, kMaxSettle);
    }
    session_.clock().sleep(jittered(settle));
  }
  throw NetworkError(
      fmt::format(
          "{}: other writers of the tag {} took our entry out {} times", name(), tag, kMaxRounds),
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
