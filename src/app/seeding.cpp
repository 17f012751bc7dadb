#include "app/seeding.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "app/attest.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/nixpkgs_tools.hpp"
#include "nix/store_db.hpp"
#include "nix/tree.hpp"
#include "os/parallel.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFingerprintFormat = "nix-seed fingerprint 2";

/// Reads the database itself where we may, else asks Nix.
nix::Closure read_closure(nix::Nix& nix,
                          const os::Environment& environment,
                          std::span<const nix::StorePath> roots,
                          Progress& progress) {
  const fs::path state = os::get(environment, "NIX_STATE_DIR").value_or("/nix/var/nix");
  std::unique_ptr<nix::StoreDatabase> database;
  try {
    database = nix::open_store_database(state);
  } catch (const Error& error) {
    progress.step(fmt::format("asking Nix for the closure ({})", error.message()));
    return nix.closure(roots);
  }
  return database->closure(roots);
}

bool describes_inputs(std::string_view path) {
  constexpr std::array<std::string_view, 8> kSuffixes{
      ".nix", ".lock", "-lock.json", "-lock.yaml", ".cabal", ".toml", "go.mod", "go.sum"};
  constexpr std::array<std::string_view, 4> kNames{
      "package.json", "requirements.txt", "gradle.lockfile", "pom.xml"};
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return std::ranges::any_of(kSuffixes, [&](auto suffix) { return name.ends_with(suffix); }) ||
         std::ranges::find(kNames, name) != kNames.end();
}

/// Hashes the files that describe inputs, each labelled with its path. Not the flake's own lock,
/// whose key is what counts: a new `seed-self` in it makes no other seed.
class InputFiles final : public nix::TreeVisitor {
 public:
  explicit InputFiles(std::string own_lock) : own_lock_(std::move(own_lock)) {}

  void enter_directory(std::string_view) override {}

  void leave_directory(std::string_view) override {}

  void symlink(std::string_view path, std::string_view target) override {
    if (describes_inputs(path)) {
      lines += fmt::format("link {}\n{}\n", path, target);
    }
  }

  void begin_file(std::string_view path, bool, std::uint64_t) override {
    path_ = path;
    wanted_ = describes_inputs(path) && path != own_lock_;
  }

  void file_data(ByteView chunk) override {
    if (wanted_) {
      hash_.update(chunk);
    }
  }

  void end_file() override {
    if (wanted_) {
      lines += fmt::format("file {}\n{}\n", path_, hash_.finish().hex());
    }
  }

  std::string lines;

 private:
  std::string own_lock_;
  std::string path_;
  bool wanted_ = false;
  Sha256 hash_;
};

/// The image's tools out of the flake's nixpkgs, where nothing else names them.
std::optional<nix::NixpkgsTools> nixpkgs_tools(nix::Nix& nix,
                                               const Project& project,
                                               const std::string& system,
                                               Contents& contents,
                                               const fs::path& scratch,
                                               Progress& progress) {
  if (contents.inputs.config || !nix::has_nixpkgs(project.lock)) {
    return std::nullopt;
  }
  progress.step("looking for the image's tools in the flake's nixpkgs");
  try {
    return nix::tools_from_nixpkgs(nix, project.flake, system, scratch);
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    contents.notices.push_back(fmt::format(
        "the image's tools are copied from this machine, since the flake's nixpkgs does not give "
        "them: {}",
        error.message()));
    return std::nullopt;
  }
}

/// What is built meanwhile is in the journal, also where one fails.
void realise(const World& world,
             nix::Nix& nix,
             const std::map<nix::StorePath, std::set<std::string>>& wanted) {
  nix::BuildLog log([&] { return world.journal.elapsed(); });
  try {
    nix.realise(wanted, log);
  } catch (...) {
    world.journal.builds = log.activities();
    throw;
  }
  world.journal.builds = log.activities();
}

/// A tag, a digest, or the whole name of a seed of `repository`; of any where that is empty.
oci::Target previous_of(const std::string& named, std::string_view repository) {
  if (named.starts_with("sha256:")) {
    return Digest::parse(named);
  }
  if (named.find('/') == std::string::npos) {
    oci::check_tag(named);
    return named;
  }
  const oci::Reference reference = oci::Reference::parse(named);
  const std::string of = reference.is_layout()
                             ? "oci:" + fs::absolute(reference.layout_path()).string()
                             : reference.repository();
  if (!repository.empty() && of != repository) {
    throw UsageError(
        fmt::format("--previous names {}, but layers are taken over within {}", of, repository),
        "give a tag or a digest of that repository");
  }
  if (reference.digest()) {
    return *reference.digest();
  }
  return reference.tag().value_or("latest");
}

}  // namespace

image::Compression compression_of(const Options& options) {
  const std::string name = options.get("compression").value_or("zstd");
  if (name == "zstd") {
    return image::Compression::zstd;
  }
  if (name == "gzip") {
    return image::Compression::gzip;
  }
  throw UsageError(fmt::format("--compression is '{}'", printable(name)), "say zstd or gzip");
}

std::string fingerprint_of(const fs::path& source,
                           const Project& project,
                           const std::string& system,
                           const Options& options) {
  const fs::path folder =
      project.git ? project.folder.lexically_relative(project.git->root) : fs::path();
  InputFiles files((folder / "flake.lock").lexically_normal().string());
  nix::visit_tree(source, files);
  std::string text =
      fmt::format("{}\nversion {}\nsystem {}\ncompression {}\nlayers {}\nflake {}\nkey {}\n",
                  kFingerprintFormat,
                  NIX_SEED_VERSION,
                  system,
                  options.get("compression").value_or("zstd"),
                  options.get("layers").value_or(""),
                  project.folder.filename().string(),
                  project.key);
  for (const std::string& attribute : project.attributes) {
    text += fmt::format("attribute {}\n", attribute);
  }
  return "f-" + Digest::of(text + files.lines).hex().substr(0, 32);
}

Contents find_contents(const World& world,
                       const Project& project,
                       nix::Nix& nix,
                       const std::string& system,
                       const fs::path& scratch,
                       Stopwatch& stopwatch) {
  stopwatch.start("evaluate");
  Contents contents{
      .inputs = nix::find_seed_inputs(
          nix,
          {.flake = project.flake, .system = system, .attributes = project.attributes},
          scratch,
          world.progress),
      .tools = {.tools = {.nix = nix::StorePath::from_base_name(
                              "00000000000000000000000000000000-none")}}};
  nix::SeedInputs& inputs = contents.inputs;
  for (const nix::SkippedTarget& skipped : inputs.targets.skipped) {
    contents.notices.push_back(fmt::format("{} is left out: {}", skipped.attribute, skipped.why));
  }

  stopwatch.start("realise inputs");
  world.progress.step(fmt::format("realising {} inputs of {} own derivations",
                                  inputs.frontier.outputs.size(),
                                  inputs.own.size()));
  auto wanted = inputs.frontier.outputs;
  const auto nixpkgs = nixpkgs_tools(nix, project, system, contents, scratch, world.progress);
  if (nixpkgs) {
    wanted.insert(nixpkgs->wanted.begin(), nixpkgs->wanted.end());
  }
  if (inputs.config_derivation) {
    wanted[*inputs.config_derivation].insert("out");
  }
  realise(world, nix, wanted);

  stopwatch.start("read the closure");
  contents.tools = inputs.config
                       ? image::tools_from_config(*inputs.config, "the flake's seed attribute")
                   : nixpkgs ? image::tools_from_config(nixpkgs->config, "the flake's nixpkgs")
                             : image::tools_from_machine(nix, world.environment, scratch);
  std::vector<nix::StorePath> roots = nix::output_paths(inputs.graph, inputs.frontier);
  roots.insert(roots.end(), inputs.frontier.sources.begin(), inputs.frontier.sources.end());
  roots.insert(roots.end(), inputs.flake_sources.begin(), inputs.flake_sources.end());
  roots.insert(roots.end(), contents.tools.roots.begin(), contents.tools.roots.end());
  contents.closure = read_closure(nix, world.environment, roots, world.progress);
  contents.nix = nix.version();
  if (contents.closure.find(inputs.metadata.source) != nullptr) {
    contents.notices.push_back(
        "the flake's own source is part of the seed, so each change of it "
        "makes a new one: keep 'self' out of lib.mkSeed's contents");
  }
  if (const auto missing = image::missing_programs(contents.tools.tools); !missing.empty()) {
    contents.notices.push_back(
        fmt::format("the image lacks {}: runners may need them; add them to 'tools' of lib.mkSeed",
                    fmt::join(missing, ", ")));
  }
  world.progress.step(fmt::format("the seed holds {} paths, {}",
                                  contents.closure.paths().size(),
                                  human_size(contents.closure.nar_size())));
  return contents;
}

void check_options(const World& world, const Options& options, const std::string& system) {
  image::architecture_of(system);
  compression_of(options);
  options.number("layers", 1, kMaxLayers);
  options.number("workers", 1, kMaxWorkers);
  if (const auto named = options.get("previous")) {
    previous_of(*named, {});
  }
  if (const auto runtime = options.get("runtime");
      runtime && !fs::is_regular_file(world.directory / *runtime)) {
    throw UsageError(fmt::format("--runtime: there is no file {}", printable(*runtime)),
                     "name a statically linked nix-seed");
  }
  check_provenance_file(world, options);
}

std::optional<image::FoundSeed> find_previous(oci::Repository& repository,
                                              const Options& options,
                                              const Project& project,
                                              const std::string& system) {
  std::vector<oci::Target> candidates{project.tag, project.key, "latest"};
  if (const auto named = options.get("previous")) {
    candidates = {previous_of(*named, repository.name())};
  }
  for (const oci::Target& candidate : candidates) {
    try {
      if (auto found = image::find_seed(repository, candidate, system)) {
        return found;
      }
    } catch (const FormatError&) {
      // Not a seed of ours, or of another version: nothing to plan against.
    }
  }
  return std::nullopt;
}

image::LayerPlan plan_contents(const Contents& contents,
                               oci::Repository& repository,
                               const std::optional<image::FoundSeed>& previous,
                               image::Compression compression,
                               const Options& options) {
  image::PlanOptions plan{.media_type = std::string(image::media_type_of(compression))};
  if (const auto layers = options.number("layers", 1, kMaxLayers)) {
    plan.max_layers = *layers;
  }
  if (!previous) {
    return image::plan_layers(contents.closure, plan);
  }
  const image::LayerPlan before = image::present_layers(repository, previous->config.plan);
  return image::plan_layers(contents.closure, plan, &before);
}

}  // namespace seed::app
