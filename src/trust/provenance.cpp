#include "trust/provenance.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "sigstore/rfc3339.hpp"

namespace seed::trust {
namespace {

using nlohmann::json;

json to_json(const std::vector<Subject>& subjects) {
  json list = json::array();
  for (const Subject& subject : subjects) {
    list.push_back({{"name", subject.name}, {"digest", {{"sha256", subject.sha256.hex()}}}});
  }
  return list;
}

json to_json(const std::vector<Material>& materials) {
  json list = json::array();
  for (const Material& material : materials) {
    json entry = {{"name", material.name}};
    // ResourceDescriptor: a DigestSet says something or is absent.
    if (!material.digest.empty()) {
      entry["digest"] = material.digest;
    }
    if (!material.uri.empty()) {
      entry["uri"] = material.uri;
    }
    list.push_back(std::move(entry));
  }
  return list;
}

json metadata_of(const BuildFacts& facts) {
  json metadata = json::object();
  if (!facts.invocation_id.empty()) {
    metadata["invocationId"] = facts.invocation_id;
  }
  if (facts.started) {
    metadata["startedOn"] = sigstore::to_rfc3339(*facts.started);
  }
  if (facts.finished) {
    metadata["finishedOn"] = sigstore::to_rfc3339(*facts.finished);
  }
  return metadata;
}

/// sha256-<base64> as Nix writes hashes -> lower-case hex; nothing for any other form.
std::optional<std::string> hex_of_sri(std::string_view sri) {
  constexpr std::string_view kPrefix = "sha256-";
  if (!sri.starts_with(kPrefix)) {
    return std::nullopt;
  }
  const auto bytes = from_base64(sri.substr(kPrefix.size()));
  return bytes ? std::optional(to_hex(*bytes)) : std::nullopt;
}

/// The input as a URL that a flake may have it by.
std::string uri_of(const nix::LockNode& node) {
  if (node.reference.empty()) {
    return {};
  }
  if (node.type == "git" || node.type == "hg") {
    return node.type + "+" + node.reference;
  }
  if (node.type == "tarball" || node.type == "file") {
    return node.reference;
  }
  return (node.type == "indirect" ? "flake" : node.type) + ":" + node.reference;
}

}  // namespace

std::vector<Material> materials_of(const nix::FlakeLock& lock) {
  std::vector<Material> materials;
  for (const auto& [name, node] : lock.nodes) {
    if (name == lock.root) {
      continue;
    }
    Material material{.name = "input " + name, .uri = uri_of(node)};
    if (const auto hex = hex_of_sri(node.nar_hash)) {
      material.digest["narSha256"] = *hex;
    }
    if (!node.revision.empty()) {
      material.digest["gitCommit"] = node.revision;
    }
    materials.push_back(std::move(material));
  }
  return materials;
}

std::string provenance_statement(const BuildFacts& facts) {
  json external = facts.external;
  external["targets"] = facts.targets;
  json internal = facts.internal;
  internal["nixSettings"] = facts.nix_settings;
  const json predicate = {
      {"buildDefinition",
       {{"buildType", facts.build_type},
        {"externalParameters", external},
        {"internalParameters", internal},
        {"resolvedDependencies", to_json(facts.materials)}}},
      {"runDetails",
       {{"builder", {{"id", facts.builder.id}, {"version", facts.builder.version}}},
        {"metadata", metadata_of(facts)},
        {"byproducts", to_json(facts.byproducts)}}}};
  const json statement = {{"_type", kStatementType},
                          {"subject", to_json(facts.subjects)},
                          {"predicateType", kProvenanceType},
                          {"predicate", predicate}};
  try {
    return statement.dump();
  } catch (const json::type_error&) {
    throw Error("a name or a value of the provenance is not UTF-8 text",
                "name outputs, files and settings in UTF-8");
  }
}

}  // namespace seed::trust
