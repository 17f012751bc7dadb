#include "oci/layout.hpp"

#include <set>

#include <unistd.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/blob_store.hpp"
#include "oci/json.hpp"
#include "oci/limits.hpp"
#include "os/file.hpp"

namespace seed::oci {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// annotations.md: "Name of the reference for a target. SHOULD only be considered valid when on
// descriptors on index.json within image layout."
constexpr const char* kRefName = "org.opencontainers.image.ref.name";

/// What annotations.ref.name says, or nothing.
const std::string* ref_name(const json& entry) {
  const json* annotations = find_member(entry, "annotations");
  const json* name = annotations == nullptr ? nullptr : find_member(*annotations, kRefName);
  return name == nullptr ? nullptr : name->get_ptr<const std::string*>();
}

bool is_tag(const std::string& text) {
  try {
    check_tag(text);
    return true;
  } catch (const FormatError&) {
    return false;
  }
}

/// distribution-spec, "Referrers Tag Schema"
std::string fallback_tag(const Digest& subject) {
  return "sha256-" + subject.hex();
}

/// "manifest" or "index" by its form, for bytes that no descriptor gives a type to; empty for bytes
/// that are neither.
std::string media_type_of(std::string_view bytes) {
  try {
    const json value = parse_json(bytes, kMaxManifestBytes, "manifest");
    if (const json* type = find_member(value, "mediaType"); type != nullptr && type->is_string()) {
      return type->get<std::string>();
    }
    return std::string(value.contains("manifests") ? kIndexType
                       : value.contains("layers")  ? kManifestType
                                                   : "");
  } catch (const FormatError&) {
    return {};
  }
}

bool is_index_type(std::string_view media_type) {
  return media_type == kIndexType || media_type == kDockerListType;
}

bool is_manifest_type(std::string_view media_type) {
  return media_type == kManifestType || media_type == kDockerManifestType;
}

class Layout final : public Repository {
 public:
  explicit Layout(const fs::path& directory) : blobs_(directory) {}

  std::string name() const override { return "oci:" + directory().string(); }

  std::optional<RawManifest> get_manifest(const Target& target) override;
  std::optional<Descriptor> head_manifest(const Target& target) override;
  Descriptor put_manifest(std::string_view media_type,
                          std::string_view bytes,
                          const std::optional<std::string>& tag) override;

  bool has_blob(const Descriptor& blob) override { return blobs_.has(blob); }

  void get_blob(const Descriptor& blob, const Sink& sink) override { blobs_.get(blob, sink); }

  void get_blob_range(const Descriptor& blob,
                      std::uint64_t offset,
                      std::uint64_t length,
                      const Sink& sink) override {
    blobs_.get_range(blob, offset, length, sink);
  }

  Pushed put_blob(const Descriptor& blob,
                  const fs::path& file,
                  const std::optional<std::string>&) override {
    return blobs_.put(blob, file);
  }

  Pushed put_blob(const Descriptor& blob, std::string_view content) override {
    return blobs_.put(blob, content);
  }

  void check_push() override;
  std::vector<std::string> tags() override;
  std::vector<Descriptor> referrers(const Digest& subject,
                                    const std::string& artifact_type) override;

  ReferrerList list_referrers(const Digest& subject) override {
    return {referrers(subject, ""), "index.json"};
  }

  Descriptor put_referrer(const Manifest& manifest) override;
  Descriptor put_raw_referrer(std::string_view manifest) override;

 private:
  json read_index() const;
  void write_index(const json& index) const;
  void list(const Descriptor& descriptor, const std::optional<std::string>& tag);
  void check_children(std::string_view media_type, std::string_view bytes);

  const fs::path& directory() const { return blobs_.directory(); }

  BlobStore blobs_;
};

json Layout::read_index() const {
  const fs::path file = directory() / "index.json";
  if (!fs::exists(file)) {
    return json::parse(to_json(Index{}));
  }
  blobs_.check_version();
  return while_doing("reading " + file.string(), [&] {
    const std::string text = os::read_file(file, kMaxListBytes);
    parse_index(text);  // every entry is well formed from here on
    json index = parse_json(text, kMaxListBytes, "index.json");
    if (find_member(index, "manifests") == nullptr) {
      index["manifests"] = json::array();
    }
    return index;
  });
}

void Layout::write_index(const json& index) const {
  blobs_.sync();
  os::atomic_write(directory() / "index.json", to_canonical_json(index));
  sync_folder(directory());
}

// --- manifests ----------------------------------------------------------------------------------

std::optional<Descriptor> Layout::head_manifest(const Target& target) {
  auto manifest = get_manifest(target);
  return manifest ? std::optional(std::move(manifest->descriptor)) : std::nullopt;
}

std::optional<RawManifest> Layout::get_manifest(const Target& target) {
  std::optional<Descriptor> listed;
  const json index = read_index();
  for (const json& entry : index["manifests"]) {
    const auto* tag = std::get_if<std::string>(&target);
    const std::string* name = ref_name(entry);
    const Digest digest = digest_member(entry, "digest");
    if (tag != nullptr ? name != nullptr && *name == *tag : digest == std::get<Digest>(target)) {
      if (listed && listed->digest != digest) {
        throw FormatError(fmt::format("{} has the tag '{}' twice", this->name(), printable(*tag)));
      }
      listed = {.media_type = string_member(entry, "mediaType"),
                .digest = digest,
                .size_bytes = size_member(entry, "size"),
                .annotations = {},
                .artifact_type = {},
                .platform = std::nullopt};
    }
  }
  if (std::holds_alternative<std::string>(target) && !listed) {
    return std::nullopt;
  }
  const Digest digest = listed ? listed->digest : std::get<Digest>(target);
  const fs::path file = blobs_.path_of(digest);
  std::error_code code;
  const std::uint64_t size = fs::file_size(file, code);
  if (!listed && (code || size > kMaxManifestBytes)) {
    return std::nullopt;
  }
  RawManifest manifest{.descriptor = describe("", ""),
                       .bytes = os::read_file(file, kMaxManifestBytes)};
  manifest.descriptor =
      describe(listed ? listed->media_type : media_type_of(manifest.bytes), manifest.bytes);
  if (manifest.descriptor.digest != digest || (listed && manifest.descriptor != *listed)) {
    throw IntegrityError(fmt::format("{} has other bytes than its name says: {}",
                                     file.string(),
                                     manifest.descriptor.digest.to_string()),
                         "remove the file and push again");
  }
  // A blob that was never a manifest, as any registry would say.
  return manifest.descriptor.media_type.empty() ? std::nullopt : std::optional(std::move(manifest));
}

void Layout::check_children(std::string_view media_type, std::string_view bytes) {
  std::vector<Descriptor> children;
  if (is_index_type(media_type)) {
    children = parse_index(bytes).manifests;
  } else if (is_manifest_type(media_type)) {
    Manifest manifest = parse_manifest(bytes);
    children = std::move(manifest.layers);
    children.push_back(std::move(manifest.config));
  } else {
    throw FormatError(fmt::format("'{}' is no manifest's media type", printable(media_type)));
  }
  // distribution-spec, "Pushing Manifests": "a registry MAY reject a manifest ... when the
  // manifest references ... blobs that do not exist". Its subject may be absent.
  for (const Descriptor& child : children) {
    if (!has_blob(child)) {
      throw Error(fmt::format("{} has no blob {} of {} bytes that the manifest names",
                              name(),
                              child.digest.to_string(),
                              child.size_bytes));
    }
  }
}

/// Puts `descriptor` into index.json, members we do not know of other entries kept as they are.
void Layout::list(const Descriptor& descriptor, const std::optional<std::string>& tag) {
  const os::FileLock lock(blobs_.lock_path());
  json index = read_index();
  const json before = index;
  json entry{{"mediaType", descriptor.media_type},
             {"digest", descriptor.digest.to_string()},
             {"size", descriptor.size_bytes}};
  if (!descriptor.artifact_type.empty()) {
    entry["artifactType"] = descriptor.artifact_type;
  }
  json entries = json::array();
  bool listed = false;
  for (json& old : index["manifests"]) {
    const std::string* name = ref_name(old);
    const bool same = old["digest"] == entry["digest"];
    listed |= same && (tag ? name != nullptr && *name == *tag : true);
    // A tag goes from its old manifest to the new one; the entry without a name becomes the named.
    if (tag && ((name != nullptr && *name == *tag && !same) || (name == nullptr && same))) {
      continue;
    }
    entries.push_back(std::move(old));
  }
  if (!listed) {
    if (tag) {
      entry["annotations"][kRefName] = *tag;
    }
    entries.push_back(std::move(entry));
  }
  index["manifests"] = std::move(entries);
  index["schemaVersion"] = 2;
  if (index != before || !fs::exists(directory() / "index.json")) {
    write_index(index);
  }
}

Descriptor Layout::put_manifest(std::string_view media_type,
                                std::string_view bytes,
                                const std::optional<std::string>& tag) {
  if (tag) {
    check_tag(*tag);
  }
  if (bytes.size() > kMaxManifestBytes) {
    throw Error(fmt::format(
        "manifest has {} bytes; registries take at most {}", bytes.size(), kMaxManifestBytes));
  }
  check_children(media_type, bytes);
  Descriptor descriptor = describe(media_type, bytes);
  put_blob(descriptor, bytes);
  Descriptor entry = descriptor;
  if (is_manifest_type(media_type)) {
    entry.artifact_type = parse_manifest(bytes).artifact_type;
  }
  list(entry, tag);
  const auto stored = get_manifest(tag ? Target(*tag) : Target(descriptor.digest));
  if (!stored || stored->bytes != bytes) {
    throw IntegrityError(fmt::format("{} does not hold the manifest {} that was just written",
                                     tag ? fmt::format("{}:{}", name(), *tag) : name(),
                                     descriptor.digest.to_string()),
                         "another program may have written the same tag; run this again");
  }
  return descriptor;
}

void Layout::check_push() {
  fs::path folder = directory();
  while (!fs::exists(folder) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  if (!fs::is_directory(folder) || ::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw Error(fmt::format("{} can't be written to", folder.string()),
                "name a folder of this user's");
  }
}

std::vector<std::string> Layout::tags() {
  std::set<std::string> names;
  const json index = read_index();
  for (const json& entry : index["manifests"]) {
    // skopeo and others also write whole references here, which are no tags.
    if (const std::string* name = ref_name(entry); name != nullptr && is_tag(*name)) {
      names.insert(*name);
    }
  }
  return {names.begin(), names.end()};
}

// --- referrers ----------------------------------------------------------------------------------

/// distribution-spec, "Listing Referrers": "descriptors ... MUST include an artifactType field that
/// is set to the value of the artifactType in the image manifest or index, if present ... if empty
/// or missing in the image manifest, set to the config descriptor's mediaType", and annotations.
std::optional<Descriptor> as_referrer(const RawManifest& raw, const Digest& subject) {
  Descriptor descriptor = raw.descriptor;
  std::optional<Descriptor> target;
  if (is_index_type(raw.descriptor.media_type)) {
    Index index = parse_index(raw.bytes);
    target = std::move(index.subject);
    descriptor.artifact_type = std::move(index.artifact_type);
    descriptor.annotations = std::move(index.annotations);
  } else if (is_manifest_type(raw.descriptor.media_type)) {
    Manifest manifest = parse_manifest(raw.bytes);
    target = std::move(manifest.subject);
    descriptor.artifact_type = manifest.artifact_type.empty()
                                   ? std::move(manifest.config.media_type)
                                   : std::move(manifest.artifact_type);
    descriptor.annotations = std::move(manifest.annotations);
  }
  return target && target->digest == subject ? std::optional(std::move(descriptor)) : std::nullopt;
}

std::vector<Descriptor> Layout::referrers(const Digest& subject, const std::string& artifact_type) {
  std::vector<Digest> candidates;
  const json index = read_index();
  for (const json& entry : index["manifests"]) {
    candidates.push_back(digest_member(entry, "digest"));
  }
  if (const auto fallback = get_manifest(fallback_tag(subject));
      fallback && is_index_type(fallback->descriptor.media_type)) {
    for (const Descriptor& manifest : parse_index(fallback->bytes).manifests) {
      candidates.push_back(manifest.digest);
    }
  }
  std::vector<Descriptor> found;
  std::set<Digest> seen;
  for (const Digest& digest : candidates) {
    const auto manifest = seen.insert(digest).second ? get_manifest(digest) : std::nullopt;
    auto referrer = manifest ? as_referrer(*manifest, subject) : std::nullopt;
    if (referrer && (artifact_type.empty() || referrer->artifact_type == artifact_type)) {
      found.push_back(std::move(*referrer));
    }
  }
  return found;
}

Descriptor Layout::put_referrer(const Manifest& manifest) {
  return put_raw_referrer(to_json(manifest));
}

Descriptor Layout::put_raw_referrer(std::string_view bytes) {
  const Manifest manifest = parse_manifest(bytes);
  if (!manifest.subject) {
    throw FormatError("a referrer without a subject");
  }
  const Descriptor descriptor = put_manifest(kManifestType, bytes, std::nullopt);
  return *as_referrer({.descriptor = descriptor, .bytes = std::string(bytes)},
                      manifest.subject->digest);
}

}  // namespace

std::unique_ptr<Repository> open_layout(const fs::path& directory) {
  return std::make_unique<Layout>(directory);
}

}  // namespace seed::oci
