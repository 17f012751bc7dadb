#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "app/options.hpp"
#include "app/world.hpp"
#include "image/mount.hpp"
#include "image/publish.hpp"
#include "os/file.hpp"
#include "os/process.hpp"
#include "os/sudo.hpp"

namespace seed::app {

/// Throws UsageError where an option says something of the delivery that is not known.
void check_delivery(const Options& options);

/// Bytes of layers, and of each of their neighbours, that are kept: what was asked for, or half of
/// what the disk has to give.
std::uint64_t cache_limit(const Options& options, const std::filesystem::path& cache);

/// How a seed is mounted: by this process or, where that is not root, by `sudo`.
struct MountWay {
  os::Backing backing = os::Backing::file;
  bool lazily = false;
  const os::Sudo* sudo = nullptr;
};

/// Mounts a seed with the cache's bounds that `options` name; `repository` must outlive it. Call it
/// before any thread is started.
image::MountedSeed mount_seed(const World& world,
                              const Options& options,
                              oci::Repository& repository,
                              const image::FoundSeed& seed,
                              const std::filesystem::path& cache,
                              const MountWay& way);

/// A seed's root, and what must be held while it is in use: a mount, or the root's lock.
struct ShownSeed {
  std::filesystem::path root;      ///< to be read by this process
  std::filesystem::path shown_at;  ///< for those in the view
  std::shared_ptr<const image::MountedSeed> mounted;
  std::optional<os::FileLock> in_use;
};

/// Shown by the kernel where it can, else unpacked. `repository` must outlive what is mounted. Call
/// it before any thread is started.
ShownSeed show_seed(const World& world,
                    const Options& options,
                    oci::Repository& repository,
                    const image::FoundSeed& seed,
                    const os::Sudo* sudo,
                    const std::filesystem::path& cache);

/// What programs read of a mounted seed may come, and be checked, only then. One that was told of
/// an input/output error for that has not had its seed, whatever it made of it: `run` throws then
/// what happened.
std::unique_ptr<os::Runner> for_mounted(std::unique_ptr<os::Runner> inner,
                                        std::shared_ptr<const image::MountedSeed> seed);

/// Says how much of a seed that is read as needed came, once nobody reads it any more; null: none.
void say_what_came(const World& world, const image::MountedSeed* seed);

}  // namespace seed::app
