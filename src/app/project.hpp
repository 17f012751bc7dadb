#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/options.hpp"
#include "app/world.hpp"
#include "nix/flake_lock.hpp"
#include "oci/credentials.hpp"
#include "oci/repository.hpp"
#include "os/git_repository.hpp"

namespace seed::app {

/// The flake on this machine that a command was pointed at.
struct Project {
  std::filesystem::path folder;  ///< holds flake.nix
  std::string flake;             ///< reference for Nix
  std::vector<std::string> attributes;
  std::string name;  ///< of the folder, fit for a repository's name
  std::string lock_text;
  nix::FlakeLock lock;
  std::string tag;
  std::string key;
  std::optional<os::GitState> git;
};

/// `arguments` are FLAKE[#ATTR], all of one flake; none is the working directory. Throws UsageError
/// where there is no flake.nix, no flake.lock (NS001), or a lock that can't be read.
Project find_project(const World& world, const std::vector<std::string>& arguments);

/// The text of a flake.lock. Throws UsageError where there is none.
std::string read_lock(const std::filesystem::path& file);

/// What it says; the errors name the file and say what to do.
nix::FlakeLock parse_lock(const std::filesystem::path& file, std::string_view text);

/// $NIX_SEED_CACHE, $XDG_CACHE_HOME/nix-seed or ~/.cache/nix-seed.
std::filesystem::path cache_folder(const os::Environment& environment);

/// The same, made now. Throws UsageError where nothing can be written there.
std::filesystem::path usable_cache(const os::Environment& environment);

/// Where seeds go that no option names a place for: the CI host's registry, where it has one, and
/// an image layout below the cache elsewhere.
std::string default_registry(const os::Environment& environment, const std::string& project);

/// A repository with what it needs to live.
struct OpenRepository {
  std::unique_ptr<oci::CredentialSource> credentials;
  std::unique_ptr<oci::Repository> repository;
  oci::Reference reference;
};

OpenRepository open_repository(const World& world,
                               const Options& options,
                               const std::string& reference);

/// The machine's Nix system: x86_64-linux.
std::string machine_system();

/// A folder below the cache for one run; what earlier runs left behind when they were killed is
/// removed first.
class Workspace {
 public:
  explicit Workspace(const std::filesystem::path& cache);
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  const std::filesystem::path& path() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace seed::app
