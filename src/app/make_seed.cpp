#include "app/make_seed.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <future>
#include <iterator>
#include <optional>

#include <fmt/core.h>

#include "app/attest.hpp"
#include "app/changed_inputs.hpp"
#include "app/disk_space.hpp"
#include "app/seed_lookup.hpp"
#include "app/seeding.hpp"
#include "app/usable_sudo.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "image/first_reads.hpp"
#include "image/self_check.hpp"
#include "image/tags.hpp"
#include "nix/store_db.hpp"
#include "os/elf.hpp"
#include "os/file.hpp"
#include "os/parallel.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

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

unsigned workers_of(const Options& options) {
  return options.number("workers", 1, kMaxWorkers).value_or(os::default_workers());
}

void warn_of_full_disk(const World& world,
                       const image::LayerPlan& plan,
                       const fs::path& scratch,
                       const Options& options) {
  const image::PushOptions push;
  const std::size_t at_once = workers_of(options) + push.connections + push.waiting;
  if (const auto warning = shortage("packing may take",
                                    packing_bytes(plan, at_once),
                                    scratch.parent_path(),
                                    free_below(scratch),
                                    "free some, or name another folder in NIX_SEED_CACHE")) {
    tell(world, ci::Level::warning, *warning);
  }
}

struct OwnLayer {
  std::string title;
  std::function<void(image::TarWriter&)> fill;
};

std::vector<OwnLayer> own_layers(const OwnFiles& files) {
  std::vector<OwnLayer> own;
  if (!files.runtime.empty()) {
    own.push_back(
        {"nix-seed", [&files](image::TarWriter& tar) { add_runtime(tar, files.runtime); }});
  }
  own.push_back({"database and configuration",
                 [&files](image::TarWriter& tar) { image::write_entries(files.entries, tar); }});
  return own;
}

struct Pushed {
  image::Image image;
  std::vector<image::LayerReceipt> layers;  ///< of the store, then the image's own
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
      .pack = {.compression = compression, .workers = workers_of(options)},
      .before_sending = before_sending,
      .elapsed = [&world] { return world.journal.elapsed(); }};
  std::vector<image::LayerReceipt> layers;
  std::vector<image::LayerReceipt> own;
  const auto push_store = [&] {
    layers =
        image::pack_and_push(plan, contents.closure, repository, scratch, push, world.progress);
  };
  const auto push_own = [&] {
    before_sending();
    for (const OwnLayer& layer : own_layers(files)) {
      own.push_back(image::push_own_layer(
          layer.title, layer.fill, repository, scratch, compression, push.elapsed));
    }
  };
  os::for_each_index(2, 2, [&](std::size_t i) { i == 0 ? push_store() : push_own(); });

  image::ImageParts parts{
      .system = system,
      .plan = plan,
      .closure = contents.closure.digest(),
      .environment = image::image_environment(contents.tools.tools),
      .command = {"/bin/sh"},
      .first_reads = image::first_reads(contents.tools.tools, contents.inputs.flake_sources)};
  for (const image::LayerReceipt& layer : layers) {
    parts.store_layers.push_back(layer.blob);
  }
  for (const image::LayerReceipt& layer : own) {
    parts.own_layers.push_back(layer.blob);
    parts.own_names.push_back(layer.title);
  }
  if (!files.runtime.empty()) {
    parts.entrypoint = {"/bin/nix-seed"};
  }
  image::Image image = image::assemble(parts);
  image::push_image(repository, image);
  std::ranges::move(own, std::back_inserter(layers));
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
    const std::optional<os::Sudo> sudo = usable_sudo(world, options);
    return image::check_closed(contents.inputs,
                               files.entries,
                               contents.tools.tools,
                               {world.runner, world.self, sudo ? &*sudo : nullptr},
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

}  // namespace

report::SeedRecord record_of(const SeedJob& job, report::SeedStatus status) {
  return {.status = status,
          .repository = job.open.repository ? job.repository().name() : "",
          .tag = job.project.tag,
          .key = job.project.key,
          .system = job.system};
}

report::SeedRecord make_seed(SeedJob& job,
                             nix::Nix& nix,
                             const std::string& fingerprint,
                             const fs::path& scratch) {
  const World& world = job.world;
  const Options& options = job.options;
  oci::Repository& repository = job.repository();
  Contents contents = find_contents(world, job.project, nix, job.system, scratch, job.stopwatch);
  job.stopwatch.start("plan");
  const std::optional<image::FoundSeed>& previous = job.previous;
  const image::LayerPlan plan =
      plan_contents(contents, repository, previous, compression_of(options), options);
  warn_of_full_disk(world, plan, scratch, options);
  const OwnFiles files = make_own_files(world, options, contents, job.system, scratch);

  // The dry run and the packing don't wait for each other, but nothing is sent before it passed.
  job.stopwatch.start("pack and push");
  const std::shared_future<std::size_t> closed =
      check_beside(world, options, contents, files, scratch);
  world.progress.step(fmt::format("packing into {}", repository.name()));
  const Pushed pushed = push_everything(
      world, options, contents, plan, files, repository, job.system, scratch, [closed] {
        closed.get();
      });
  const bool same = previous && previous->manifest.digest == pushed.image.descriptor.digest;
  const bool named = same &&
                     leads_to(repository, job.project.tag, job.system, previous->manifest.digest) &&
                     leads_to(repository, job.project.key, job.system, previous->manifest.digest);

  // Every blob and manifest is there and the seed is proven closed: from here on it may be named.
  job.stopwatch.start("attest and tag");
  report::SeedRecord record{.repository = repository.name(),
                            .tag = job.project.tag,
                            .key = job.project.key,
                            .system = job.system,
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
  if (record.status == report::SeedStatus::refreshed) {
    record.changed = changed_inputs(repository, previous->manifest.digest, job.project.lock);
  }
  const std::string source = source_of(job.project);
  const std::vector<image::ComingTag> tags = image::coming_tags(
      repository, pushed.image, job.system, {job.project.tag, job.project.key, "latest"}, source);
  const Attested attested = attest_seed(world,
                                        options,
                                        job.project,
                                        {.contents = contents,
                                         .image = pushed.image,
                                         .layers = pushed.layers,
                                         .indexes = image::put_indexes(repository, tags),
                                         .compression = compression_of(options),
                                         .started = job.started},
                                        job.signing,
                                        nix,
                                        repository);
  record.provenance = attested.file;
  record.index =
      image::write_coming_tags(repository, pushed.image, job.system, tags, source).digest;
  repository.put_manifest(oci::kManifestType, pushed.image.manifest, fingerprint);
  return record;
}

}  // namespace seed::app
