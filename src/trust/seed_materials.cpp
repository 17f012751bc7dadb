#include "trust/seed_materials.hpp"

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "oci/json.hpp"

namespace seed::trust {
namespace {

using nlohmann::json;

const json& member(const json& object, const char* key) {
  const json* found = object.is_object() ? oci::find_member(object, key) : nullptr;
  if (found == nullptr) {
    throw FormatError(std::string("the statement has no ") + key);
  }
  return *found;
}

Material material_of(const json& entry, const std::string& name) {
  Material material{.name = name};
  for (const auto& [algorithm, value] : member(entry, "digest").items()) {
    if (value.is_string()) {
      material.digest[algorithm] = value.get<std::string>();
    }
  }
  return material;
}

}  // namespace

std::vector<Material> parse_seed_materials(std::string_view statement) {
  constexpr std::string_view kInput = "input ";
  const json parsed = oci::parse_json(statement, kMaxStatementBytes, "provenance");
  const json& definition = member(member(parsed, "predicate"), "buildDefinition");
  if (member(definition, "buildType") != kSeedBuildType) {
    throw FormatError("the statement is not about a seed");
  }
  std::vector<Material> materials;
  for (const json& entry : member(definition, "resolvedDependencies")) {
    const json* name = entry.is_object() ? oci::find_member(entry, "name") : nullptr;
    if (name != nullptr && name->is_string() && name->get<std::string>().starts_with(kInput)) {
      materials.push_back(material_of(entry, name->get<std::string>()));
    }
  }
  return materials;
}

}  // namespace seed::trust
