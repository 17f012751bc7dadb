#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "app/options.hpp"
#include "app/project.hpp"
#include "app/world.hpp"
#include "image/mount.hpp"

namespace seed::app {

/// A store at /nix: `lower` with what is written to it below `upper`, for this mount namespace
/// alone and as long as this lives.
class StoreMount {
 public:
  StoreMount(const std::filesystem::path& lower, const std::filesystem::path& upper);
  ~StoreMount();
  StoreMount(const StoreMount&) = delete;
  StoreMount& operator=(const StoreMount&) = delete;

 private:
  void remove_folder() const;

  bool made_folder_;
};

/// For a machine that has no Nix: the Nix of the project's seed before, with all that seed holds
/// as its store, so that only what is new is fetched and built.  The seed is held to the gate, and
/// mounted with room for writes at /nix, in a mount namespace of this process; nothing of it is
/// left on the machine afterwards.
class BorrowedNix {
 public:
  /// Call it before any thread is started.  Throws Error where there is no such seed, or the
  /// machine can't mount it.
  BorrowedNix(const World& world, const Options& options);

  /// The machine, with that Nix in PATH.
  const World& world() const { return *world_; }

 private:
  Workspace workspace_;
  image::MountedSeed seed_;
  std::optional<StoreMount> store_;
  std::unique_ptr<os::Runner> runner_;
  std::optional<World> world_;
};

}  // namespace seed::app
