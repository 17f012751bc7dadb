#include <array>
#include <future>

#include <fmt/core.h>

#include "app/attest.hpp"
#include "app/commands.hpp"
#include "app/outputs.hpp"
#include "app/publish_report.hpp"
#include "app/registry.hpp"
#include "app/seeding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "image/self_check.hpp"
#include "nix/store_db.hpp"
#include "os/elf.hpp"
#include "os/file.hpp"
#include "os/parallel.hpp"
#include "report/record.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

constexpr std::array kOptions{
    OptionSpec{"registry", "REF", "repository for seeds: HOST/NAME or oci:PATH"},
    OptionSpec{"system", "SYSTEM", "Nix system of the seed; default: this machine's"},
    OptionSpec{"previous", "REF", "tag or digest of the seed to plan layers against"},
    OptionSpec{"compression", "ALGORITHM", "zstd (default) or gzip"},
    OptionSpec{"layers", "N", "at most N layers for store paths; default 96"},
    OptionSpec{"workers", "N", "threads that pack; default: the CPUs, at most 8"},
    OptionSpec{"runtime", "FILE", "static nix-seed to put into the image; default: this program"},
    OptionSpec{"refresh", "", "evaluate even where a seed for the same inputs is there"},
    OptionSpec{"unchecked", "", "push without the proof that the seed is closed"},
    OptionSpec{"insecure", "", "speak plain http to the registry"},
    OptionSpec{"summary", "FILE", "append a Markdown summary; default: the CI host's; false: none"},
    OptionSpec{"provenance", "FILE", "write the provenance statement here as well"},
    OptionSpec{"json", "", "print the result as JSON"},
};

/// Database, files and program of the image, made before anything is packed.
struct OwnFiles {
  std::vector<image::RootEntry> entries;
  fs::path runtime;  ///< empty: the image has no nix-seed in it
};

std::string seed_json(const Contents& contents, const std::string& system) {
  return fmt::format(R"({{"closure":"{}","nix":"{}","nix-seed":"{}","system":"{}","version":1}})",
                     contents.closure.digest().to_string(),
                     contents.tools.tools.nix.to_string(),
                     NIX_SEED_VERSION,
                     system);
}

OwnFiles make_own_files(const World& world,
                        const Options& options,
                        Contents& contents,
                        const std::string& system,
                        const fs::path& scratch) {
  const fs::path database = scratch / "db.sqlite";
  nix::write_store_database(database, contents.closure);
  constexpr std::uint64_t kMaxDatabaseBytes = 1 << 30;
  OwnFiles files{.runtime = world.directory / options.get("runtime").value_or(world.self.string())};
  if (os::inspect_elf(files.runtime).kind != os::ElfKind::static_program) {
    contents.notices.push_back(fmt::format(
        "{} is not statically linked, so the image holds no nix-seed; a release build does, or "
        "name one with --runtime",
        files.runtime.string()));
    files.runtime.clear();
  }
  files.entries = image::root_entries(contents.tools.tools,
                                      contents.closure,
                                      system,
                                      seed_json(contents, system),
                                      os::read_file(database, kMaxDatabaseBytes));
  return files;
}

void add_runtime(image::TarWriter& tar, const fs::path& runtime) {
  tar.directory("bin", 0755);
  os::File file = os::File::open_read(runtime);
  tar.begin_file("bin/nix-seed", 0755, file.size());
  std::array<std::byte, 1 << 16> buffer;
  while (const std::size_t count = file.read(buffer)) {
    tar.file_data(std::span(buffer).first(count));
  }
  tar.end_file();
}

struct Pushed {
  image::Image image;
  std::vector<image::LayerReceipt> layers;
};

Pushed push_everything(const World& world,
                       const Options& options,
                       const Contents& contents,
                       const image::LayerPlan& plan,
                       const OwnFiles& files,
                       oci::Repository& repository,
                       const std::string& system,
                       const fs::path& scratch,
                       const std::function<void()>& before_sending) {
  const image::Compression compression = compression_of(options);
  const image::PushOptions push{
      .pack = {.compression = compression,
               .workers =
                   options.number("workers", 1, kMaxWorkers).value_or(os::default_workers())},
      .before_sending = before_sending};
  std::vector<image::LayerReceipt> layers =
      image::pack_and_push(plan, contents.closure, repository, scratch, push, world.progress);
  before_sending();
  image::ImageParts parts{.system = system,
                          .plan = plan,
                          .closure = contents.closure.digest(),
                          .environment = image::image_environment(contents.tools.tools),
                          .command = {"/bin/sh"}};
  for (const image::LayerReceipt& layer : layers) {
    parts.store_layers.push_back(layer.blob);
  }
  const auto add_own = [&](const std::string& title,
                           const std::function<void(image::TarWriter&)>& fill) {
    layers.push_back(image::push_own_layer(title, fill, repository, scratch, compression));
    parts.own_layers.push_back(layers.back().blob);
    parts.own_names.push_back(title);
  };
  if (!files.runtime.empty()) {
    add_own("nix-seed", [&](image::TarWriter& tar) { add_runtime(tar, files.runtime); });
    parts.entrypoint = {"/bin/nix-seed"};
  }
  add_own("database and configuration",
          [&](image::TarWriter& tar) { image::write_entries(files.entries, tar); });
  image::Image image = image::assemble(parts);
  image::push_image(repository, image);
  return {std::move(image), std::move(layers)};
}

/// Starts the proof that the seed is closed: how many derivations a job would build.
std::shared_future<std::size_t> check_beside(const World& world,
                                             const Options& options,
                                             Contents& contents,
                                             const OwnFiles& files,
                                             const fs::path& scratch) {
  if (options.flag("unchecked")) {
    contents.notices.emplace_back("not proven closed: --unchecked was given");
    return std::async(std::launch::deferred, [&] { return contents.inputs.own.size(); });
  }
  return std::async(std::launch::async, [&] {
    return image::check_closed(contents.inputs,
                               files.entries,
                               contents.tools.tools,
                               world.runner,
                               world.self,
                               scratch,
                               world.progress);
  });
}

std::vector<std::string> target_names(const Contents& contents) {
  std::vector<std::string> names;
  for (const nix::Target& target : contents.inputs.targets.wanted) {
    names.push_back(target.attribute);
  }
  return names;
}

/// What is no seed, or one of a version whose config is not ours, is none to reuse.
std::optional<image::FoundSeed> find_ours(oci::Repository& repository,
                                          const oci::Target& target,
                                          const std::string& system) {
  try {
    return image::find_seed(repository, target, system);
  } catch (const FormatError&) {
    return std::nullopt;
  }
}

/// Whether `tag` leads to this manifest already.
bool names(oci::Repository& repository,
           const std::string& tag,
           const std::string& system,
           const Digest& manifest) {
  const auto found = find_ours(repository, tag, system);
  return found && found->manifest.digest == manifest;
}

/// A seed for these very inputs is there: only its tags are looked at.
std::optional<report::SeedRecord> reuse(oci::Repository& repository,
                                        const Project& project,
                                        const std::string& system,
                                        const std::string& fingerprint) {
  const auto known = find_ours(repository, fingerprint, system);
  if (!known) {
    return std::nullopt;
  }
  report::SeedRecord record{.repository = repository.name(),
                            .tag = project.tag,
                            .key = project.key,
                            .system = system,
                            .index = known->manifest.digest,
                            .manifest = known->manifest.digest,
                            .closure = known->config.closure};
  const bool named = names(repository, project.tag, system, known->manifest.digest) &&
                     names(repository, project.key, system, known->manifest.digest);
  record.status = named ? report::SeedStatus::reused : report::SeedStatus::aliased;
  if (record.status == report::SeedStatus::aliased) {
    const auto raw = repository.get_manifest(known->manifest.digest);
    image::Image image{
        .manifest = raw->bytes, .parsed = known->parsed, .descriptor = known->manifest};
    image.descriptor = image::describe_seed(known->manifest, system);
    record.index =
        image::write_tags(repository, image, system, {project.tag, project.key}, source_of(project))
            .digest;
  } else if (const auto index = repository.head_manifest(project.tag)) {
    record.index = index->digest;
  }
  return record;
}

void finish(const World& world,
            const Options& options,
            report::SeedRecord& record,
            Stopwatch& stopwatch) {
  stopwatch.stop();
  for (const auto& [step, seconds] : stopwatch.entries()) {
    record.timings.push_back({step, seconds});
  }
  world.progress.output(report::to_text(record));
  publish(world,
          {.outputs = outputs_of(record, bytes_of_layers(record.layers)),
           .summary = report::to_markdown(record)});
  print_result(world,
               options.flag("json") ? report::to_json(record) + "\n" : record.image() + "\n");
}

int run_seed(const World& world, const Options& options) {
  const Time started = world.clock.now();
  Stopwatch stopwatch;
  stopwatch.start("look for a seed");
  const Project project = find_project(world, options.positional());
  const std::string system = options.get("system").value_or(machine_system());
  check_options(world, options, system);
  OpenRepository open = open_repository(world, options, registry_for(world, options, project));
  oci::Repository& repository = *open.repository;
  nix::Nix nix(world.runner, world.progress, "nix");
  const Workspace workspace(usable_cache(world.environment));
  const fs::path& scratch = workspace.path();

  const nix::FlakeMetadata metadata = nix.flake_metadata(project.flake);
  const std::string fingerprint =
      fingerprint_of(metadata.source.to_string(), project, system, options);
  if (!options.flag("refresh")) {
    const auto look = [&] { return reuse(repository, project, system, fingerprint); };
    if (auto record = while_doing("looking for a seed in " + repository.name(), look)) {
      finish(world, options, *record, stopwatch);
      return 0;
    }
  }

  Contents contents = find_contents(world, project, nix, system, scratch, stopwatch);
  stopwatch.start("plan");
  const auto previous = find_previous(repository, options, project, system);
  const image::LayerPlan plan =
      plan_contents(contents, repository, previous, compression_of(options), options);
  const OwnFiles files = make_own_files(world, options, contents, system, scratch);

  // The dry run and the packing don't wait for each other, but nothing is sent before it passed.
  stopwatch.start("pack and push");
  const std::shared_future<std::size_t> closed =
      check_beside(world, options, contents, files, scratch);
  world.progress.step(fmt::format("packing into {}", repository.name()));
  const Pushed pushed =
      push_everything(world, options, contents, plan, files, repository, system, scratch, [closed] {
        closed.get();
      });
  const bool same = previous && previous->manifest.digest == pushed.image.descriptor.digest;
  const bool named = same && names(repository, project.tag, system, previous->manifest.digest) &&
                     names(repository, project.key, system, previous->manifest.digest);

  // Every blob and manifest is there and the seed is proven closed: from here on it may be named.
  stopwatch.start("attest and tag");
  report::SeedRecord record{.repository = repository.name(),
                            .tag = project.tag,
                            .key = project.key,
                            .system = system,
                            .index = pushed.image.descriptor.digest,
                            .manifest = pushed.image.descriptor.digest,
                            .closure = contents.closure.digest(),
                            .paths = contents.closure.paths().size(),
                            .nar_size = contents.closure.nar_size(),
                            .own_derivations = closed.get(),
                            .targets = target_names(contents),
                            .layers = pushed.layers,
                            .tools = contents.tools.origin,
                            .nix = contents.nix.text,
                            .notices = contents.notices};
  record.status = named      ? report::SeedStatus::reused
                  : same     ? report::SeedStatus::aliased
                  : previous ? report::SeedStatus::refreshed
                             : report::SeedStatus::built;
  record.provenance = attest_seed(world,
                                  options,
                                  project,
                                  contents,
                                  pushed.image,
                                  nix,
                                  repository,
                                  compression_of(options),
                                  started);
  record.index = image::write_tags(repository,
                                   pushed.image,
                                   system,
                                   {project.tag, project.key, "latest"},
                                   source_of(project))
                     .digest;
  repository.put_manifest(oci::kManifestType, pushed.image.manifest, fingerprint);
  finish(world, options, record, stopwatch);
  return 0;
}

}  // namespace

const Command kSeedCommand{
    "seed",
    "[FLAKE[#ATTR]...]",
    "pack the flake's build inputs and push them",
    "Reuses, aliases, refreshes or builds the seed for a flake: everything its own derivations "
    "need,\n"
    "with Nix itself, as an OCI image under the tag of flake.lock. Without an attribute the seed\n"
    "serves every package, check, app and dev shell. Prints the image by digest.",
    kOptions,
    run_seed,
    "nix-seed seed --registry ghcr.io/acme/app-seed",
    true};

}  // namespace seed::app
