#include "app/changed_inputs.hpp"

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "trust/seed_materials.hpp"

namespace seed::app {
namespace {

constexpr std::size_t kMaxStatements = 20;

std::string revision_of(const trust::Material& material) {
  for (const char* algorithm : {"gitCommit", "narSha256"}) {
    if (const auto found = material.digest.find(algorithm); found != material.digest.end()) {
      return found->second;
    }
  }
  return {};
}

std::map<std::string, std::string> revisions_of(std::span<const trust::Material> materials) {
  constexpr std::string_view kInput = "input ";
  std::map<std::string, std::string> revisions;
  for (const trust::Material& material : materials) {
    if (material.name.starts_with(kInput)) {
      revisions[material.name.substr(kInput.size())] = revision_of(material);
    }
  }
  return revisions;
}

std::string read_statement(oci::Repository& repository, const oci::Descriptor& referrer) {
  const auto raw = repository.get_manifest(referrer.digest);
  if (!raw) {
    throw FormatError("the provenance is gone");
  }
  const oci::Manifest manifest = oci::parse_manifest(raw->bytes);
  if (manifest.layers.size() != 1 ||
      manifest.layers.front().size_bytes > trust::kMaxStatementBytes) {
    throw FormatError("the provenance is not one statement");
  }
  std::string statement;
  repository.get_blob(manifest.layers.front(),
                      [&](ByteView chunk) { statement += text_of(chunk); });
  return statement;
}

}  // namespace

std::vector<report::ChangedInput> compare_inputs(std::span<const trust::Material> before,
                                                 std::span<const trust::Material> after) {
  const auto old_revisions = revisions_of(before);
  const auto new_revisions = revisions_of(after);
  std::vector<report::ChangedInput> changed;
  for (const auto& [name, revision] : new_revisions) {
    const auto old = old_revisions.find(name);
    if (old == old_revisions.end()) {
      changed.push_back({.name = name, .after = revision});
    } else if (old->second != revision) {
      changed.push_back({.name = name, .before = old->second, .after = revision});
    }
  }
  for (const auto& [name, revision] : old_revisions) {
    if (!new_revisions.contains(name)) {
      changed.push_back({.name = name, .before = revision});
    }
  }
  return changed;
}

std::vector<report::ChangedInput> changed_inputs(oci::Repository& repository,
                                                 const Digest& manifest,
                                                 const nix::FlakeLock& lock) {
  try {
    const auto referrers = repository.referrers(manifest, std::string(trust::kStatementMediaType));
    for (std::size_t i = 0; i < std::min(referrers.size(), kMaxStatements); ++i) {
      try {
        const auto before = trust::parse_seed_materials(read_statement(repository, referrers[i]));
        return compare_inputs(before, trust::materials_of(lock));
      } catch (const FormatError&) {
        continue;  // a build's statement, or not ours
      }
    }
  } catch (const Interrupted&) {
    throw;
  } catch (const Error&) {
    return {};
  }
  return {};
}

}  // namespace seed::app
