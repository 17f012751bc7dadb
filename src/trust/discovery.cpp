#include "trust/discovery.hpp"

#include <algorithm>
#include <utility>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "sigstore/bundle.hpp"
#include "sigstore/limits.hpp"

namespace seed::trust {
namespace {

bool is_bundle_type(std::string_view type) {
  return type.starts_with(sigstore::kBundleMediaTypePrefix);
}

/// Types that lists give for a bundle whose own type they do not know: go-containerregistry writes
/// the config's into the fallback tag, and old registries nothing.
bool may_hide_a_bundle(std::string_view type) {
  return type.empty() || type == oci::kEmptyType || type == oci::kConfigType;
}

/// A failure to read, as opposed to what was read being wrong.
bool is_unknown(const Error& error) {
  return dynamic_cast<const FormatError*>(&error) == nullptr &&
         dynamic_cast<const IntegrityError*>(&error) == nullptr;
}

/// Looks at one referrer by its manifest's own words. Throws what reading meets, and FormatError
/// for what is no bundle of `subject`.
std::string fetch_bundle(oci::Repository& repository,
                         const oci::Descriptor& entry,
                         const Digest& subject) {
  const auto raw = repository.get_manifest(entry.digest);
  if (!raw) {
    throw FormatError("it is listed, and not there");
  }
  const oci::Manifest manifest = oci::parse_manifest(raw->bytes);
  if (!is_bundle_type(manifest.artifact_type)) {
    throw FormatError(fmt::format("its artifact type is '{}'", printable(manifest.artifact_type)));
  }
  if (!manifest.subject || manifest.subject->digest != subject) {
    throw FormatError("it is about something else");
  }
  if (manifest.layers.size() != 1 || !is_bundle_type(manifest.layers.front().media_type)) {
    throw FormatError("it does not have one layer that is a bundle");
  }
  const oci::Descriptor& layer = manifest.layers.front();
  if (layer.size_bytes > sigstore::kMaxBundleBytes) {
    throw FormatError(fmt::format("its bundle has {}, and at most {} are read",
                                  human_size(layer.size_bytes),
                                  human_size(sigstore::kMaxBundleBytes)));
  }
  std::string bytes;
  repository.get_blob(layer, [&](ByteView chunk) {
    if (bytes.size() + chunk.size() > layer.size_bytes) {
      throw IntegrityError("its bundle is longer than its manifest says");
    }
    bytes += text_of(chunk);
  });
  return bytes;
}

void look_at(oci::Repository& repository,
             const oci::Descriptor& entry,
             const Digest& subject,
             Looked& looked,
             Discovery& discovery) {
  const std::string what = fmt::format("{}@{}", repository.name(), entry.digest.to_string());
  const bool claims = is_bundle_type(entry.artifact_type);
  if (!claims && !may_hide_a_bundle(entry.artifact_type)) {
    discovery.ignored.push_back(
        {what, fmt::format("it is listed as '{}'", printable(entry.artifact_type))});
    return;
  }
  try {
    const std::size_t before = discovery.candidates.size();
    add_candidate(discovery, fetch_bundle(repository, entry, subject), what);
    looked.found += discovery.candidates.size() - before;
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    if (is_unknown(error)) {
      looked.failure = fmt::format("reading {}: {}", what, error.message());
    } else {
      discovery.ignored.push_back({what, error.message(), claims});
    }
  }
}

}  // namespace

bool Discovery::complete() const {
  return std::ranges::all_of(looked, [](const Looked& place) { return place.failure.empty(); });
}

void add_candidate(Discovery& discovery, std::string bytes, const std::string& from) {
  const Digest digest = Digest::of(bytes);
  std::size_t total_bytes = bytes.size();
  bool twice = false;
  for (const Candidate& other : discovery.candidates) {
    total_bytes += other.bytes.size();
    twice |= other.digest == digest;
  }
  if (twice) {
    discovery.ignored.push_back({from, "the same bundle was found elsewhere"});
  } else if (bytes.size() > sigstore::kMaxBundleBytes) {
    discovery.ignored.push_back({from,
                                 fmt::format("it has {}, and at most {} are read",
                                             human_size(bytes.size()),
                                             human_size(sigstore::kMaxBundleBytes)),
                                 true});
  } else if (discovery.candidates.size() == kMaxCandidates || total_bytes > kMaxCandidateBytes) {
    discovery.ignored.push_back({from,
                                 fmt::format("at most {} bundles of {} together are read",
                                             kMaxCandidates,
                                             human_size(kMaxCandidateBytes)),
                                 true});
  } else {
    discovery.candidates.push_back({std::move(bytes), digest, from});
  }
}

void look_in(oci::Repository& repository, const Digest& subject, Discovery& discovery) {
  Looked looked{.where = repository.name(), .how = "referrers", .found = 0, .failure = {}};
  std::vector<oci::Descriptor> entries;
  try {
    oci::ReferrerList list = repository.list_referrers(subject);
    looked.how = std::move(list.source);
    entries = std::move(list.entries);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    looked.failure = error.message();
  }
  // What is listed as a bundle goes first, so that other things can't take its place under the cap.
  std::ranges::stable_partition(
      entries, [](const oci::Descriptor& entry) { return is_bundle_type(entry.artifact_type); });
  std::size_t fetched = 0;
  for (const oci::Descriptor& entry : entries) {
    const bool fetch =
        is_bundle_type(entry.artifact_type) || may_hide_a_bundle(entry.artifact_type);
    if (fetch && ++fetched > kMaxCandidates) {
      discovery.ignored.push_back(
          {fmt::format("{} and what is listed behind it", entry.digest.to_string()),
           fmt::format("{} were looked at before", kMaxCandidates),
           true});
      break;
    }
    look_at(repository, entry, subject, looked, discovery);
  }
  discovery.looked.push_back(std::move(looked));
}

void look_in_file(const std::string& name, const std::string& text, Discovery& discovery) {
  Looked looked{.where = name, .how = "file", .found = 0, .failure = {}};
  const std::vector<std::string_view> parts = sigstore::split_bundles(text);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t before = discovery.candidates.size();
    add_candidate(discovery,
                  std::string(parts[i]),
                  parts.size() == 1 ? name : fmt::format("{}, line {}", name, i + 1));
    looked.found += discovery.candidates.size() - before;
  }
  discovery.looked.push_back(std::move(looked));
}

std::string to_text(const Discovery& discovery) {
  std::string text;
  for (const Looked& place : discovery.looked) {
    text += fmt::format(
        "looked in {} ({}): {}\n",
        printable(place.where),
        place.how,
        place.failure.empty()
            ? fmt::format("{} bundle{}", place.found, place.found == 1 ? "" : "s")
            : fmt::format("{} found, then it failed: {}", place.found, printable(place.failure)));
  }
  for (const Ignored& ignored : discovery.ignored) {
    text += fmt::format("ignored {}: {}\n", printable(ignored.what), printable(ignored.why));
  }
  return text;
}

}  // namespace seed::trust
