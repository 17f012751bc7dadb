#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/project.hpp"
#include "base/error.hpp"
#include "image/mount.hpp"
#include "image/publish.hpp"
#include "nix/staleness.hpp"
#include "os/file.hpp"
#include "os/root_view.hpp"
#include "os/sudo.hpp"

namespace seed::app {

// Options of the commands that enter a seed, beside those of the gate.
inline constexpr OptionSpec kImageOption{
    "image", "REF", "the seed itself, by tag or digest, instead of the lock's"};
inline constexpr OptionSpec kDeliveryOption{
    "delivery", "HOW", "auto (default: mount the seed where that works), mount or unpack"};
inline constexpr OptionSpec kCacheSizeOption{
    "cache-size", "MIB", "seeds to keep for later builds; default: 51200, or half the free disk"};

/// Where the build runs and how store paths there are found here.
struct Place {
  std::unique_ptr<os::Runner> runner;  ///< empty: the machine itself
  std::unique_ptr<os::Runner>
      asking;  ///< the same for questions: what they write is not waited for
  std::vector<std::filesystem::path>
      stores;                        ///< folders that together are its /nix/store, upper first
  std::vector<std::string> options;  ///< for nix build
  std::shared_ptr<const image::MountedSeed> mounted;  ///< while the place is in use
  std::optional<os::FileLock> root_in_use;            ///< of an unpacked seed
  /// Where the last of `stores` is a mount that ends with us: the folder for what must stay.
  std::filesystem::path keep;
};

/// The seed a build may use, or why there is none.
struct SeedChoice {
  std::optional<image::FoundSeed> seed;
  std::string reason;
  std::string hint = "run 'nix-seed seed' on a trusted branch to make or refresh the seed";
  std::string image;     ///< repository@digest
  std::string verified;  ///< as `pass_gate` says
  OpenRepository open;
  std::optional<NetworkError> unreachable;  ///< why the registry could not be asked
};

SeedChoice choose_seed(const World& world,
                       const Options& options,
                       const Project& project,
                       const std::string& system);

/// How this process gets into a seed.
struct Entry {
  std::optional<os::Sudo> sudo;        ///< for mounts, where it may be asked
  std::optional<os::Invoker> invoker;  ///< for whom it must be asked even for namespaces
};

/// Throws Error where there is no way.
Entry find_entry(const World& world, const Options& options);

/// What programs in a seed get besides it.
struct Inside {
  bool writable = false;  ///< the checkout, which is at its own path
  bool results = false;   ///< what builds left, at the paths that links to results have
  os::Network network = os::Network::none;
  std::filesystem::path directory;  ///< where they start; empty: the flake's folder
};

/// The seed's root with writes kept per project, so that a second build finds the first one's
/// results. Mounted where this machine can, else unpacked. `lock` keeps other builds of the project
/// out. Call it before any thread is started.
Place place_in_seed(const World& world,
                    const Options& options,
                    const Project& project,
                    const SeedChoice& choice,
                    const Entry& entry,
                    const Inside& inside,
                    const std::filesystem::path& cache,
                    std::optional<os::FileLock>& lock);

/// The seed that whoever started this container says it is, by --image with a digest, since a
/// container does not know its own; empty where they did not.
std::string named_image(const Options& options);

/// Where a store path of `place` is on this machine. Throws Error where it is nowhere.
std::filesystem::path locate(const Place& place, const nix::StorePath& path);

/// Where it stays after this process: a copy of what was only mounted.
std::filesystem::path locate_to_stay(const Place& place, const nix::StorePath& path);

/// FLAKE#ATTR for each attribute; `default` where none was named.
std::vector<std::string> installables(const Project& project);

/// Throws UsageError where Nix says that the flake lacks what was named.
void refuse_missing_attribute(const Project& project, std::string_view nix_words);

os::Command nix_build(const Project& project,
                      const Place& place,
                      std::initializer_list<std::string> more);

/// What a build would do, judged against what the seed holds.
struct Forecast {
  nix::Staleness staleness;
  std::string failure;  ///< evaluation failed: Nix's words
};

Forecast forecast(const World& world, const Project& project, const Place& place);

}  // namespace seed::app
