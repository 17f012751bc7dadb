#include "app/building.hpp"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include <fmt/core.h>

#include "app/registry.hpp"
#include "app/seed_self_step.hpp"
#include "app/showing.hpp"
#include "app/usable_sudo.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "image/folder_cache.hpp"
#include "image/mount.hpp"
#include "image/seed_root.hpp"
#include "image/self_check.hpp"
#include "os/parallel.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxDerivationBytes = 16 << 20;

/// The seed that flake.lock's seed-self names, where no tag leads to one. Returns why there is
/// none.
std::string follow_hint(const World& world,
                        const Project& project,
                        const std::string& system,
                        SeedChoice& choice) {
  const SeedHint hint = hinted_seed(world, place_of(world, project), project, system);
  if (!hint.manifest) {
    return hint.reason;
  }
  choice.seed = image::find_seed(*choice.open.repository, *hint.manifest, system);
  return choice.seed ? ""
                     : fmt::format("seed-self names {}, recorded for {}, which is not there",
                                   hint.manifest->to_string(),
                                   printable(hint.image));
}

}  // namespace

SeedChoice choose_seed(const World& world,
                       const Options& options,
                       const Project& project,
                       const std::string& system) {
  SeedChoice choice;
  const auto image = options.get("image");
  const std::string where = image ? *image : registry_for(world, options, project);
  try {
    choice.open = open_repository(world, options, where);
    std::vector<oci::Target> targets{project.tag, project.key};
    if (image && choice.open.reference.digest()) {
      targets = {*choice.open.reference.digest()};
    } else if (image) {
      targets = {choice.open.reference.tag().value_or("latest")};
    }
    for (const oci::Target& target : targets) {
      if (!choice.seed) {
        choice.seed = while_doing("looking for a seed in " + choice.open.repository->name(), [&] {
          return image::find_seed(*choice.open.repository, target, system);
        });
      }
    }
    const std::string hint =
        choice.seed || image ? "" : follow_hint(world, project, system, choice);
    choice.reason = fmt::format(
        "no seed for {}: {} has neither the tag {} nor {} for it; 'nix-seed seed' makes one",
        system,
        choice.open.repository->name(),
        project.tag.substr(0, 12) + "…",
        project.key);
    choice.reason += hint.empty() ? "" : "; " + hint;
    if (image) {
      choice.reason = fmt::format("{} is no seed for {}", *image, system);
    }
  } catch (const NetworkError& error) {
    choice.reason = fmt::format("the registry can't be asked: {}", error.message());
    choice.reason += error.hint().empty() ? "" : "; " + error.hint();
    choice.unreachable = error;
  } catch (const FormatError& error) {
    if (image || !choice.open.repository) {
      throw;  // what was named is wrong
    }
    choice.reason = fmt::format(
        "the seed can't be used: {}; 'nix-seed seed --refresh' makes it anew", error.message());
  }
  if (choice.seed) {
    choice.reason.clear();
    choice.image = choice.open.repository->name() + "@" + choice.seed->manifest.digest.to_string();
  }
  return choice;
}

namespace {

/// The folder for what builds of this project write into this seed; what they wrote into another is
/// removed, and what other projects wrote longest ago where it is too much.
fs::path folder_for_writes(const Options& options,
                           const Project& project,
                           const fs::path& cache,
                           const std::string& seed_name,
                           std::optional<os::FileLock>& lock) {
  const fs::path builds = cache / "builds";
  const fs::path own =
      builds /
      fmt::format("{}-{}", project.name, Digest::of(project.folder.string()).hex().substr(0, 8));
  os::make_dirs(builds);
  lock.emplace(image::lock_beside(own));
  image::mark_used(image::lock_beside(own));
  fs::path upper = own / seed_name;
  if (!fs::exists(upper)) {
    os::remove_tree(own);
    os::make_dirs(upper);
    image::trim_folders(builds, cache_limit(options, cache));
  }
  return upper;
}

}  // namespace

namespace {

/// What a view shows of this machine.
std::vector<os::Bind> binds_of(const Project& project,
                               const Inside& inside,
                               const fs::path& upper) {
  const fs::path source = project.git ? project.git->root : project.folder;
  std::vector<os::Bind> binds{{source, source, inside.writable}};
  if (inside.results) {
    for (const fs::path& folder : {upper / "root/data/nix/store", upper / "results"}) {
      os::make_dirs(folder);
      binds.push_back({folder, folder, false});
    }
  }
  if (inside.network == os::Network::host) {
    for (const char* file : {"/etc/resolv.conf", "/etc/hosts"}) {
      if (fs::exists(file)) {
        binds.push_back({file, file, false});
      }
    }
  }
  return binds;
}

}  // namespace

Entry find_entry(const World& world, const Options& options) {
  Entry entry{.sudo = usable_sudo(world, options), .invoker = std::nullopt};
  entry.invoker = os::who_needs_sudo(entry.sudo ? &*entry.sudo : nullptr);
  return entry;
}

Place place_in_seed(const World& world,
                    const Options& options,
                    const Project& project,
                    const SeedChoice& choice,
                    const Entry& entry,
                    const Inside& inside,
                    const fs::path& cache,
                    std::optional<os::FileLock>& lock) {
  const fs::path upper = folder_for_writes(
      options, project, cache, choice.seed->manifest.digest.hex().substr(0, 16), lock);
  ShownSeed shown = show_seed(world,
                              options,
                              *choice.open.repository,
                              *choice.seed,
                              entry.sudo ? &*entry.sudo : nullptr,
                              cache);
  const fs::path keep = shown.in_use ? fs::path() : upper / "results";
  os::RootView view{
      .lower = shown.shown_at,
      .upper = upper,
      .binds = binds_of(project, inside, upper),
      .network = inside.network,
      .directory = (inside.directory.empty() ? project.folder : inside.directory).string(),
      .invoker = entry.invoker};
  if (shown.mounted && shown.mounted->lent) {
    view.invoker = os::current_invoker();
    view.mounts = fmt::format("/proc/{}/fd/{}", ::getpid(), shown.mounted->lent->mounts.get());
  }
  auto in_view = std::make_unique<image::ViewRunner>(
      world.runner, world.self, view, choice.seed->config.environment);
  std::unique_ptr<os::Runner> asking = in_view->unsynced();
  std::unique_ptr<os::Runner> runner = std::move(in_view);
  if (shown.mounted) {
    asking = for_mounted(std::move(asking), shown.mounted);
    runner = for_mounted(std::move(runner), shown.mounted);
  }
  return {.runner = std::move(runner),
          .asking = std::move(asking),
          .stores = {upper / "root/data/nix/store", shown.root / "nix/store"},
          .options = {"--offline", "--option", "sandbox", "true"},
          .mounted = std::move(shown.mounted),
          .root_in_use = std::move(shown.in_use),
          .keep = keep};
}

std::string named_image(const Options& options) {
  const auto named = options.get("image");
  if (!named) {
    return {};
  }
  const oci::Reference reference = oci::Reference::parse(*named);
  return reference.digest() && !reference.is_layout()
             ? reference.repository() + "@" + reference.digest()->to_string()
             : "";
}

fs::path locate(const Place& place, const nix::StorePath& path) {
  for (const fs::path& store : place.stores) {
    if (fs::exists(fs::symlink_status(store / path.base_name()))) {
      return store / path.base_name();
    }
  }
  throw Error(fmt::format("{} was built but can't be found on this machine", path.to_string()));
}

fs::path locate_to_stay(const Place& place, const nix::StorePath& path) {
  fs::path location = locate(place, path);
  if (place.keep.empty() || location.parent_path() != place.stores.back()) {
    return location;
  }
  fs::path kept = place.keep / path.base_name();
  if (!fs::exists(fs::symlink_status(kept))) {
    const fs::path partial = place.keep / "partial";
    os::remove_tree(partial);  // of a run that was killed
    os::make_dirs(place.keep);
    fs::copy(location, partial, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    fs::rename(partial, kept);
  }
  return kept;
}

std::vector<std::string> installables(const Project& project) {
  std::vector<std::string> list;
  for (const std::string& attribute : project.attributes) {
    list.push_back(project.flake + "#" + attribute);
  }
  if (list.empty()) {
    list.push_back(project.flake + "#default");
  }
  return list;
}

void refuse_missing_attribute(const Project& project, std::string_view nix_words) {
  if (nix_words.find("does not provide attribute") == std::string_view::npos) {
    return;
  }
  std::string names;
  for (const std::string& attribute : project.attributes) {
    names += (names.empty() ? "" : ", ") + attribute;
  }
  throw UsageError(fmt::format("the flake {} does not have all of: {}",
                               project.flake,
                               names.empty() ? "default" : printable(names)),
                   "'nix flake show' lists what it has");
}

os::Command nix_build(const Project& project,
                      const Place& place,
                      std::initializer_list<std::string> more) {
  os::Command command{.argv = {"nix",
                               "--extra-experimental-features",
                               "nix-command flakes",
                               "build",
                               "--no-link",
                               "--no-write-lock-file"}};
  command.argv.insert(command.argv.end(), place.options.begin(), place.options.end());
  command.argv.insert(command.argv.end(), more);
  const std::vector<std::string> wanted = installables(project);
  command.argv.insert(command.argv.end(), wanted.begin(), wanted.end());
  return command;
}

Forecast forecast(const World& world, const Project& project, const Place& place) {
  os::Runner& runner = place.asking ? *place.asking : world.runner;
  const os::Captured result = os::capture(runner, nix_build(project, place, {"--dry-run"}));
  if (!result.exit.ok()) {
    const std::size_t at = result.err.rfind("error:");
    return {.failure =
                std::string(trim(at == std::string::npos ? result.err : result.err.substr(at)))};
  }
  const nix::DryRun dry_run = nix::parse_dry_run(result.err);
  std::map<nix::StorePath, nix::Derivation> to_build;
  for (const nix::StorePath& drv : dry_run.will_build) {
    to_build.emplace(drv,
                     nix::parse_derivation(os::read_file(locate(place, drv), kMaxDerivationBytes)));
  }
  Forecast result_forecast;
  result_forecast.staleness = nix::judge(to_build, [&](const nix::StorePath& source) {
    return fs::exists(fs::symlink_status(place.stores.back() / source.base_name()));
  });
  for (const auto* list : {&dry_run.will_fetch, &dry_run.unknown}) {
    auto& missing = result_forecast.staleness.missing;
    missing.insert(missing.end(), list->begin(), list->end());
  }
  return result_forecast;
}

}  // namespace seed::app
