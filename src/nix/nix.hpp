#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "nix/build_log.hpp"
#include "nix/closure.hpp"
#include "os/process.hpp"

namespace seed::nix {

/// "2.8.0" -> {2, 8, 0}; Lix says 2.9x.
struct NixVersion {
  bool is_lix = false;
  int major = 0;
  int minor = 0;
  int patch = 0;
  std::string text;  ///< what `nix --version` printed, without the newline
};

NixVersion parse_nix_version(std::string_view line);

/// A flake registry that knows nothing: what `flake-registry` names where nothing may be looked up.
inline constexpr std::string_view kEmptyRegistry = "{\"flakes\":[],\"version\":2}\n";

/// What a flake's source is, as Nix sees it (`nix flake metadata --json`).
struct FlakeMetadata {
  std::string reference;  ///< the locked or resolved reference, ready for the command line
  StorePath source;       ///< the tree in the store
  std::string subdir;     ///< `dir` of the reference, "" at the root
  std::string revision;   ///< commit, empty where the tree is dirty or not in git
  std::string dirty_revision;
  std::int64_t last_modified = 0;
};

/// A `nix flake archive --json` tree, flattened: every input's source path once, the flake's own
/// not.
/// Inputs of the flake itself that are named in `excluded` are left out, with all below them.
std::vector<StorePath> parse_flake_archive(std::string_view json,
                                           const std::vector<std::string>& excluded = {});

FlakeMetadata parse_flake_metadata(std::string_view json);

/// Paths from `nix path-info --json` in each of its shapes: a list (to 2.18, Lix), an object by
/// path (2.19 on), and `info` by base name (--json-format 2).
std::vector<PathInfo> parse_path_info(std::string_view json);

/// What `nix build --dry-run` said on stderr.
struct DryRun {
  std::vector<StorePath> will_build;
  std::vector<StorePath> will_fetch;
  std::vector<StorePath> unknown;  ///< "don't know how to build these paths"
};

DryRun parse_dry_run(std::string_view text);

/// Runs one Nix installation. Each call is one process; Nix's own messages go to Progress.
class Nix {
 public:
  Nix(os::Runner& runner,
      Progress& progress,
      std::filesystem::path program,
      os::Environment environment = {});

  const std::filesystem::path& program() const { return program_; }

  const NixVersion& version();

  FlakeMetadata flake_metadata(const std::string& flake);
  /// Without the root's inputs `excluded`; those of `instead` are not fetched, a folder stands in.
  std::vector<StorePath> flake_archive(
      const std::string& flake,
      const std::vector<std::string>& excluded = {},
      const std::map<std::string, std::filesystem::path>& instead = {});

  /// The settings that bear on what a build may use, as `nix show-config` has them: substituters,
  /// trusted-public-keys, sandbox, system. A setting that this Nix does not have is left out.
  std::map<std::string, std::string> settings();

  /// `nix eval --json FLAKE#ATTR --apply EXPR`; nothing where the flake has no such attribute. What
  /// Nix says meanwhile is shown only where it fails, in the Error.
  std::optional<std::string> eval_json(const std::string& installable,
                                       const std::string& apply = "",
                                       const std::vector<std::string>& options = {});

  /// `nix-store --realise`: derivation -> wanted outputs. `log` learns what is built meanwhile.
  /// Throws where one fails.
  void realise(const std::map<StorePath, std::set<std::string>>& wanted, BuildLog& log);

  /// Adds a file or folder as it is; returns its path.
  StorePath add_path(const std::filesystem::path& path, const std::string& name);

  /// The slow way to path infos, for databases we may not read: `nix-store -q --requisites` and
  /// `--dump-db`.
  Closure closure(std::span<const StorePath> roots);

  os::Runner& runner() { return runner_; }

  /// The same Nix with a setting of its own, or started by another Runner.
  Nix with_option(const std::string& name, const std::string& value) const;
  Nix with_runner(os::Runner& runner) const;

  os::Command command(std::vector<std::string> arguments) const;        ///< nix ARGUMENTS
  os::Command store_command(std::vector<std::string> arguments) const;  ///< nix-store ARGUMENTS

 private:
  std::string run(const os::Command& command, std::string_view doing, BuildLog* log = nullptr);
  os::Runner& runner_;
  Progress& progress_;
  std::filesystem::path program_;
  os::Environment environment_;
  std::vector<std::string> options_;
  std::optional<NixVersion> version_;
};

}  // namespace seed::nix
