#include "app/attest.hpp"

#include <fmt/core.h>

#include "app/github_keeping.hpp"
#include "app/publish_report.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "sigstore/limits.hpp"
#include "trust/attachment.hpp"
#include "trust/provenance.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

/// Where statements are kept that no option names a file for.
fs::path statement_file(const World& world,
                        const Options& options,
                        const Project& project,
                        std::string_view kind) {
  if (const auto named = options.get("provenance")) {
    return world.directory / *named;
  }
  const fs::path folder = cache_folder(world.environment) / "provenance" / project.name;
  os::make_dirs(folder);
  return folder / fmt::format("{}.intoto.json", kind);
}

/// Who runs this. A claim without a signature; signing binds it to an identity.
trust::Builder builder_of(const os::Environment& environment) {
  trust::Builder builder{
      .id = "https://github.com/0compute/nix-seed/blob/main/docs/provenance.md#local",
      .version = {{"nix-seed", NIX_SEED_VERSION}}};
  const auto server = os::get(environment, "GITHUB_SERVER_URL");
  const auto workflow = os::get(environment, "GITHUB_WORKFLOW_REF");
  if (server && workflow) {
    builder.id = *server + "/" + *workflow;
  } else if (const auto job = os::get(environment, "CI_PROJECT_URL")) {
    builder.id = *job;
  }
  return builder;
}

std::string invocation_of(const os::Environment& environment) {
  if (const auto run = os::get(environment, "GITHUB_RUN_ID")) {
    return fmt::format("{}/{}/actions/runs/{}/attempts/{}",
                       os::get(environment, "GITHUB_SERVER_URL").value_or(""),
                       os::get(environment, "GITHUB_REPOSITORY").value_or(""),
                       *run,
                       os::get(environment, "GITHUB_RUN_ATTEMPT").value_or("1"));
  }
  return os::get(environment, "CI_JOB_URL").value_or("");
}

std::vector<trust::Material> materials_of(const Project& project) {
  std::vector<trust::Material> materials;
  if (project.git) {
    const std::string url = source_of(project);
    trust::Material source{.name = "source", .uri = url.empty() ? "" : "git+" + url};
    if (!project.git->commit.empty()) {  // before the first commit there is none
      source.digest["gitCommit"] = project.git->commit;
    }
    materials.push_back(source);
  }
  materials.push_back({.name = "flake.lock",
                       .uri = "",
                       .digest = {{"sha256", Digest::of(project.lock_text).hex()}}});
  for (trust::Material& input : trust::materials_of(project.lock)) {
    materials.push_back(std::move(input));
  }
  return materials;
}

std::map<std::string, std::string> external_of(const Project& project, const std::string& system) {
  return {{"source", source_of(project)},
          {"commit", project.git ? project.git->commit : ""},
          {"dirty", project.git ? (project.git->dirty ? "true" : "false") : "unknown"},
          {"lockTag", project.tag},
          {"key", project.key},
          {"system", system}};
}

void attach_unsigned(oci::Repository& repository,
                     const oci::Descriptor& subject,
                     const std::string& statement) {
  constexpr std::string_view kEmpty = "{}";
  oci::Manifest manifest{.config = oci::describe(oci::kEmptyType, kEmpty),
                         .layers = {oci::describe(trust::kStatementMediaType, statement)},
                         .artifact_type = std::string(trust::kStatementMediaType),
                         .subject = oci::Descriptor{.media_type = subject.media_type,
                                                    .digest = subject.digest,
                                                    .size_bytes = subject.size_bytes}};
  manifest.annotations["in-toto.io/predicate-type"] = trust::kProvenanceType;
  repository.put_blob(manifest.config, kEmpty);
  repository.put_blob(manifest.layers.front(), std::string_view(statement));
  repository.put_referrer(manifest);
}

/// A person's builds go nowhere, so that nobody waits for a signature there.
void say_unsigned(const World& world, const Signing& signing, std::string_view kind) {
  const bool asked_not_to = signing.mode == SignMode::never;
  if (!asked_not_to && (kind == "seed" || facts_of(world).kind != ci::HostKind::none)) {
    world.progress.notice(fmt::format("the provenance is not signed: {}{}{}",
                                      signing.why_not,
                                      signing.remedy.empty() ? "" : "; ",
                                      signing.remedy));
  }
}

/// Keeps the statement, signs it where this run can, and keeps the bundle beside it.
struct Kept {
  Attested attested;
  std::optional<sigstore::SignedBundle> bundle;
};

Kept keep_and_sign(const World& world,
                   const fs::path& file,
                   const Signing& signing,
                   std::string_view kind,
                   const std::string& statement) {
  os::atomic_write(file, statement);
  Kept kept{.attested = {.file = file.string()}};
  if (!signing.able()) {
    say_unsigned(world, signing, kind);
    return kept;
  }
  kept.bundle = sign_if_able(world, signing, sigstore::StatementText{statement});
  if (kept.bundle) {
    // app.intoto.json -> app.sigstore.json
    const std::string stem = file.stem().stem().string();
    const fs::path beside = file.parent_path() / (stem + ".sigstore.json");
    os::atomic_write(beside, kept.bundle->json);
    kept.attested.bundle = beside.string();
  }
  return kept;
}

void attach_kept(const World& world,
                 Kept& kept,
                 oci::Repository& repository,
                 const oci::Descriptor& subject,
                 const std::string& statement) {
  if (kept.bundle) {
    trust::attach_bundle(repository, subject.digest, kept.bundle->json, world.clock.now());
  } else {
    attach_unsigned(repository, subject, statement);
  }
  kept.attested.on.push_back(subject);
}

/// With GitHub too, where the user asked for it and the job may. The proof is beside the image
/// already.
void keep_copy(const World& world, const Options& options, const Kept& kept) {
  const auto github = github_keeper(world, options);
  if (!kept.bundle || !github) {
    return;
  }
  try {
    keep_in_github(world, *github, kept.bundle->json);
  } catch (const NetworkError& error) {
    world.progress.notice(fmt::format("the provenance is with the image alone: {}{}{}",
                                      error.message(),
                                      error.hint().empty() ? "" : "; ",
                                      error.hint()));
  }
}

/// A statement that nobody can change any more, since somebody may have it signed.
std::string statement_of(const trust::BuildFacts& facts) {
  std::string statement = trust::provenance_statement(facts);
  if (statement.size() > sigstore::kMaxStatementBytes) {
    throw Error(fmt::format("the provenance has {} bytes; at most {} are signed and read",
                            statement.size(),
                            sigstore::kMaxStatementBytes));
  }
  return statement;
}

}  // namespace

std::string source_of(const Project& project) {
  if (!project.git || project.git->remote_url.empty()) {
    return {};
  }
  std::string url = project.git->remote_url;
  // git@host:owner/repo is the same place as https://host/owner/repo.
  if (const std::size_t at = url.find('@');
      at != std::string::npos && url.find("://") == std::string::npos) {
    url = url.substr(at + 1);
    if (const std::size_t colon = url.find(':'); colon != std::string::npos) {
      url[colon] = '/';
    }
    url.insert(0, "https://");
  }
  if (url.ends_with(".git")) {
    url.resize(url.size() - 4);
  }
  return url;
}

void check_provenance_file(const World& world, const Options& options) {
  const auto named = options.get("provenance");
  if (named && !fs::is_directory((world.directory / *named).parent_path())) {
    throw UsageError(fmt::format("--provenance: there is no folder for {}", printable(*named)),
                     "make the folder first");
  }
}

Attested attest_seed(const World& world,
                     const Options& options,
                     const Project& project,
                     const SeedClaim& claim,
                     const Signing& signing,
                     nix::Nix& nix,
                     oci::Repository& repository) {
  const Contents& contents = claim.contents;
  const std::string& system =
      claim.image.descriptor.annotations.at(std::string(image::kSystemAnnotation));
  trust::BuildFacts facts{.build_type = std::string(trust::kSeedBuildType),
                          .external = external_of(project, system),
                          .nix_settings = nix.settings(),
                          .materials = materials_of(project),
                          .builder = builder_of(world.environment),
                          .invocation_id = invocation_of(world.environment),
                          .started = claim.started,
                          .finished = world.clock.now()};
  facts.subjects = {{repository.name(), claim.image.descriptor.digest},
                    {"closure", contents.closure.digest()}};
  for (const oci::Descriptor& index : claim.indexes) {
    facts.subjects.push_back({"index", index.digest});
  }
  for (const image::LayerReceipt& layer : claim.layers) {
    facts.byproducts.push_back({"layer " + layer.title, layer.blob.digest});
  }
  facts.internal = {{"nixVersion", contents.nix.text},
                    {"compression", image::describe(claim.compression)},
                    {"tools", contents.tools.origin},
                    {"closurePaths", std::to_string(contents.closure.paths().size())}};
  for (const nix::Target& target : contents.inputs.targets.wanted) {
    facts.targets.push_back(target.attribute);
  }
  facts.builder.version["nix"] = contents.nix.text;
  const std::string statement = statement_of(facts);
  Kept kept = keep_and_sign(
      world, statement_file(world, options, project, "seed"), signing, "seed", statement);
  while_doing("attaching the provenance", [&] {
    attach_kept(world, kept, repository, claim.image.descriptor, statement);
    for (const oci::Descriptor& index : claim.indexes) {
      attach_kept(world, kept, repository, index, statement);
    }
  });
  keep_copy(world, options, kept);
  return std::move(kept.attested);
}

Attested attest_build(const World& world,
                      const Options& options,
                      const Project& project,
                      const BuildClaim& claim,
                      const Signing& signing,
                      oci::Repository* repository) {
  const report::BuildRecord& record = claim.record;
  trust::BuildFacts facts{.build_type = std::string(trust::kResultBuildType),
                          .external = external_of(project, record.system),
                          .nix_settings = claim.nix_settings,
                          .materials = materials_of(project),
                          .builder = builder_of(world.environment),
                          .invocation_id = invocation_of(world.environment),
                          .started = claim.started,
                          .finished = world.clock.now()};
  for (std::size_t i = 0; i < record.results.size(); ++i) {
    facts.subjects.push_back({record.results[i].store_path, claim.nar_hashes[i]});
    facts.targets.push_back(record.results[i].attribute);
  }
  facts.internal = {{"mode", std::string(report::to_string(record.mode))},
                    {"nixVersion", claim.nix_version}};
  facts.builder.version["nix"] = claim.nix_version;
  if (claim.seed) {
    facts.materials.push_back(
        {.name = "seed", .uri = record.image, .digest = {{"sha256", claim.seed->digest.hex()}}});
  }
  const std::string statement = statement_of(facts);
  Kept kept = keep_and_sign(
      world, statement_file(world, options, project, "build"), signing, "build", statement);
  if (repository != nullptr && claim.seed) {
    // Jobs that may only read (fork pull requests) still build: the statement stays a file then.
    try {
      attach_kept(world, kept, *repository, *claim.seed, statement);
    } catch (const NetworkError& error) {
      world.progress.notice(
          fmt::format("the provenance is in {} only: {}", kept.attested.file, error.message()));
    }
  }
  return std::move(kept.attested);
}

}  // namespace seed::app
