#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "oci/json.hpp"
#include "sigstore/limits.hpp"
#include "trust/policy.hpp"

namespace seed::trust {
namespace {

using nlohmann::json;

constexpr std::string_view kGit = "git+";

/// The member, where it is of an object and is text.
std::string text_of(const json* object, const char* key) {
  const json* value =
      object != nullptr && object->is_object() ? oci::find_member(*object, key) : nullptr;
  const std::string* text = value == nullptr ? nullptr : value->get_ptr<const std::string*>();
  return text == nullptr ? std::string() : *text;
}

const json* object_of(const json* object, const char* key) {
  const json* value =
      object != nullptr && object->is_object() ? oci::find_member(*object, key) : nullptr;
  return value != nullptr && value->is_object() ? value : nullptr;
}

const json& required_object(const json& object, const char* key) {
  const json* value = object_of(&object, key);
  if (value == nullptr) {
    throw FormatError(std::string("the provenance has no ") + key);
  }
  return *value;
}

/// git+https://github.com/o/r@refs/heads/main -> https://github.com/o/r
std::string repository_of(std::string uri) {
  if (!uri.starts_with(kGit)) {
    return {};
  }
  uri.erase(0, kGit.size());
  if (const std::size_t at = uri.find('@', uri.find("://") + 3); at != std::string::npos) {
    uri.resize(at);
  }
  return uri;
}

/// What one thing that was read says of source and lock.
void take_dependency(const json& entry, Provenance& provenance) {
  const std::string name = text_of(&entry, "name");
  const json* digest = object_of(&entry, "digest");
  if (name == "flake.lock") {
    provenance.lock = text_of(digest, "sha256");
    return;
  }
  // actions/attest gives the source no name, and nothing else comes from git there.
  if (name == "source" || (name.empty() && provenance.commit.empty())) {
    const std::string repository = repository_of(text_of(&entry, "uri"));
    if (provenance.source.empty()) {
      provenance.source = repository;
    }
    if (!repository.empty() || name == "source") {
      provenance.commit = text_of(digest, "gitCommit");
    }
  }
}

}  // namespace

Provenance read_provenance(std::string_view predicate) {
  const json parsed = oci::parse_json(predicate, sigstore::kMaxStatementBytes, "provenance");
  if (!parsed.is_object()) {
    throw FormatError("the provenance is no object");
  }
  const json& definition = required_object(parsed, "buildDefinition");
  const json& details = required_object(parsed, "runDetails");
  const json* external = object_of(&definition, "externalParameters");
  Provenance provenance{.build_type = text_of(&definition, "buildType"),
                        .builder_id = text_of(object_of(&details, "builder"), "id"),
                        .source = text_of(external, "source"),
                        .commit = {},
                        .lock = {},
                        .key = text_of(external, "key"),
                        .system = text_of(external, "system")};
  if (provenance.build_type.empty() || provenance.builder_id.empty()) {
    throw FormatError("the provenance has no buildType or no builder.id");
  }
  if (provenance.source.empty()) {
    provenance.source = text_of(object_of(external, "workflow"), "repository");
  }
  const json* dependencies = oci::find_member(definition, "resolvedDependencies");
  if (dependencies != nullptr && dependencies->is_array()) {
    for (const json& entry : *dependencies) {
      take_dependency(entry, provenance);
    }
  }
  return provenance;
}

}  // namespace seed::trust
