#include "oci/types.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/limits.hpp"

namespace seed::oci {
namespace {

using nlohmann::json;

/// RFC 6838 §4.2 allows more, but every type anybody serves is of this form.
bool is_media_type(std::string_view text) {
  const std::size_t slash = text.find('/');
  return text.size() <= 255 && slash != 0 && slash + 1 < text.size() && slash != text.npos &&
         text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
             "!#$&^_.+-/") == text.npos;
}

json to_value(const Descriptor& descriptor) {
  json value{{"mediaType", descriptor.media_type},
             {"digest", descriptor.digest.to_string()},
             {"size", descriptor.size_bytes}};
  if (!descriptor.annotations.empty()) {
    value["annotations"] = descriptor.annotations;
  }
  if (!descriptor.artifact_type.empty()) {
    value["artifactType"] = descriptor.artifact_type;
  }
  if (descriptor.platform) {
    json& platform = value["platform"];
    platform = {{"os", descriptor.platform->os},
                {"architecture", descriptor.platform->architecture}};
    if (!descriptor.platform->variant.empty()) {
      platform["variant"] = descriptor.platform->variant;
    }
  }
  return value;
}

/// What manifests and indexes share.
template <class Document>
json common_members(const Document& document, std::string_view media_type) {
  json value{{"schemaVersion", 2}, {"mediaType", media_type}};
  if (!document.artifact_type.empty()) {
    value["artifactType"] = document.artifact_type;
  }
  if (document.subject) {
    value["subject"] = to_value(*document.subject);
  }
  if (!document.annotations.empty()) {
    value["annotations"] = document.annotations;
  }
  return value;
}

std::string optional_string(const json& object, const char* key) {
  return find_member(object, key) != nullptr ? string_member(object, key) : std::string();
}

std::string media_type_member(const json& object, const char* key) {
  const std::string& text = string_member(object, key);
  if (!is_media_type(text)) {
    throw FormatError(fmt::format("'{}' is not a media type", printable(text)));
  }
  return text;
}

std::string artifact_type_member(const json& object) {
  // ORAS 0.16 to 1.0 wrote "" here.
  return optional_string(object, "artifactType").empty()
             ? std::string()
             : media_type_member(object, "artifactType");
}

Annotations annotations_member(const json& object) {
  Annotations annotations;
  if (const json* value = find_member(object, "annotations")) {
    if (!value->is_object()) {
      throw FormatError("'annotations' is not an object");
    }
    for (const auto& [key, text] : value->items()) {
      if (!text.is_string()) {
        throw FormatError(fmt::format("annotation '{}' is not a text", printable(key)));
      }
      annotations.emplace(key, text.get_ref<const std::string&>());
    }
  }
  return annotations;
}

Descriptor descriptor_of(const json& value) {
  Descriptor descriptor{
      .media_type = media_type_member(value, "mediaType"),
      .digest = digest_member(value, "digest"),
      .size_bytes = size_member(value, "size"),
      .annotations = annotations_member(value),
      .artifact_type = artifact_type_member(value),
      .platform = std::nullopt,
  };
  if (const json* platform = find_member(value, "platform")) {
    descriptor.platform = Platform{.os = string_member(*platform, "os"),
                                   .architecture = string_member(*platform, "architecture"),
                                   .variant = optional_string(*platform, "variant")};
  }
  return descriptor;
}

std::vector<Descriptor> descriptors_member(const json& object, const char* key) {
  std::vector<Descriptor> descriptors;
  // Go writes an empty list as null.
  if (!object.contains(key)) {
    throw FormatError(fmt::format("'{}' is missing", key));
  }
  if (const json* list = find_member(object, key)) {
    if (!list->is_array()) {
      throw FormatError(fmt::format("'{}' is not a list", key));
    }
    for (const json& item : *list) {
      descriptors.push_back(while_doing(fmt::format("reading {}[{}]", key, descriptors.size()),
                                        [&] { return descriptor_of(item); }));
    }
  }
  return descriptors;
}

std::optional<Descriptor> subject_member(const json& object) {
  const json* subject = find_member(object, "subject");
  return subject == nullptr ? std::nullopt : std::optional(while_doing("reading 'subject'", [&] {
    return descriptor_of(*subject);
  }));
}

struct Kind {
  std::string_view what;
  std::string_view oci_type;
  std::string_view docker_type;
  const char* foreign_member;  ///< what only the other kind may have
};

constexpr Kind kManifest{"manifest", kManifestType, kDockerManifestType, "manifests"};
constexpr Kind kIndex{"index", kIndexType, kDockerListType, "layers"};

json parse_document(std::string_view text, const Kind& kind) {
  json value = parse_json(text, kMaxManifestBytes, kind.what);
  if (!value.is_object()) {
    throw FormatError(fmt::format("{} is not a JSON object", kind.what));
  }
  if (size_member(value, "schemaVersion") != 2) {
    throw FormatError(fmt::format("{} has a schemaVersion that is not 2", kind.what));
  }
  if (const std::string type = optional_string(value, "mediaType");
      !type.empty() && type != kind.oci_type && type != kind.docker_type) {
    throw FormatError(fmt::format("{} has the media type '{}'", kind.what, printable(type)),
                      "only OCI image manifests and indexes, and Docker's schema 2, can be read");
  }
  // image-spec, CVE-2021-41190: bytes that can be read as either kind are refused by both readers.
  if (value.contains(kind.foreign_member)) {
    throw FormatError(fmt::format("{} has a member '{}'", kind.what, kind.foreign_member));
  }
  return value;
}

}  // namespace

std::string to_json(const Manifest& manifest) {
  json value = common_members(manifest, kManifestType);
  value["config"] = to_value(manifest.config);
  json& layers = value["layers"] = json::array();
  for (const Descriptor& layer : manifest.layers) {
    layers.push_back(to_value(layer));
  }
  return to_canonical_json(value);
}

std::string to_json(const Index& index) {
  json value = common_members(index, kIndexType);
  json& manifests = value["manifests"] = json::array();
  for (const Descriptor& manifest : index.manifests) {
    manifests.push_back(to_value(manifest));
  }
  return to_canonical_json(value);
}

// The types inside descriptors stay as they are, Docker's too: they say how to ask for the bytes.
Manifest parse_manifest(std::string_view text) {
  const json value = parse_document(text, kManifest);
  const json* config = find_member(value, "config");
  if (config == nullptr) {
    throw FormatError("manifest has no 'config'");
  }
  return {.config = while_doing("reading 'config'", [&] { return descriptor_of(*config); }),
          .layers = descriptors_member(value, "layers"),
          .artifact_type = artifact_type_member(value),
          .subject = subject_member(value),
          .annotations = annotations_member(value)};
}

Index parse_index(std::string_view text) {
  const json value = parse_document(text, kIndex);
  return {.manifests = descriptors_member(value, "manifests"),
          .artifact_type = artifact_type_member(value),
          .subject = subject_member(value),
          .annotations = annotations_member(value)};
}

Descriptor describe(std::string_view media_type, std::string_view content) {
  return {.media_type = std::string(media_type),
          .digest = Digest::of(content),
          .size_bytes = content.size(),
          .annotations = {},
          .artifact_type = {},
          .platform = std::nullopt};
}

}  // namespace seed::oci
