#include "app/changed_inputs.hpp"

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "sigstore/bundle.hpp"
#include "sigstore/limits.hpp"
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

bool is_bundle(const oci::Descriptor& referrer) {
  return referrer.artifact_type.starts_with(sigstore::kBundleMediaTypePrefix);
}

/// The statement, signed or not: what it says is shown to people and decides nothing.
std::string read_statement(oci::Repository& repository, const oci::Descriptor& referrer) {
  const auto raw = repository.get_manifest(referrer.digest);
  if (!raw) {
    throw FormatError("the provenance is gone");
  }
  const oci::Manifest manifest = oci::parse_manifest(raw->bytes);
  const std::uint64_t limit =
      is_bundle(referrer) ? sigstore::kMaxBundleBytes : trust::kMaxStatementBytes;
  if (manifest.layers.size() != 1 || manifest.layers.front().size_bytes > limit) {
    throw FormatError("the provenance is not one statement");
  }
  std::string text;
  repository.get_blob(manifest.layers.front(), [&](ByteView chunk) { text += text_of(chunk); });
  if (!is_bundle(referrer)) {
    return text;
  }
  sigstore::Bundle bundle = sigstore::parse_bundle(text);
  auto* envelope = std::get_if<sigstore::DsseEnvelope>(&bundle.content);
  return envelope == nullptr ? std::string() : std::move(envelope->payload);
}

std::vector<oci::Descriptor> statements_about(oci::Repository& repository, const Digest& manifest) {
  std::vector<oci::Descriptor> found = repository.referrers(manifest, "");
  std::erase_if(found, [](const oci::Descriptor& referrer) {
    return referrer.artifact_type != trust::kStatementMediaType && !is_bundle(referrer);
  });
  found.erase(found.begin() + static_cast<std::ptrdiff_t>(std::min(found.size(), kMaxStatements)),
              found.end());
  return found;
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
    for (const oci::Descriptor& referrer : statements_about(repository, manifest)) {
      try {
        const auto before = trust::parse_seed_materials(read_statement(repository, referrer));
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
