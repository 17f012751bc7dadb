#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "image/tar.hpp"
#include "nix/closure.hpp"
#include "os/process.hpp"

namespace seed::image {

/// One entry of the image's own files, outside the store.
struct RootEntry {
  enum class Kind { directory, file, symlink };
  std::string path;  ///< relative: etc/passwd
  Kind kind = Kind::file;
  std::uint32_t mode = 0644;
  std::string content;  ///< of the file, or the link's target

  bool operator==(const RootEntry&) const = default;
};

/// What the image offers beside the store: everything in it is a store path.
struct Tools {
  nix::StorePath nix;                           ///< holds bin/nix
  std::optional<std::string> nix_libexec;       ///< where Nix 2.8 looks for its build hook
  std::map<std::string, std::string> programs;  ///< name in /bin -> full path in the store
  std::map<std::string, std::string>
      libraries;                             ///< name in /lib/<triple> -> full path in the store
  std::optional<std::string> sandbox_shell;  ///< a static shell, /bin/sh in Nix's sandbox
  std::optional<std::string> cacert;         ///< bundle in the store
  std::optional<std::string> loader;         ///< ld-linux in the store
  std::string loader_bytes;                  ///< of that file; may be left out
  std::string config;                        ///< more lines for nix.conf
  bool offline = true;                       ///< false: an image to run Nix in, with a network
};

/// The folders of `tools` as seen on this machine: every bin/* of each, the first to have a name
/// wins; every shared library of `libs`.
std::map<std::string, std::string> programs_in(const std::vector<std::string>& folders);
std::map<std::string, std::string> libraries_in(const std::vector<std::string>& folders);

/// The bytes of glibc's loader, which then searches `folder` where it searched its own store path.
/// The loader of nixpkgs knows no other folder, and looks into no cache: programs from outside,
/// such as a runner's Node, would find no library. Any other loader is left as it is.
std::string with_search_folder(std::string loader, std::string_view folder);

/// nix.conf of a seed: no substituter, no daemon, no registry, nothing that reaches for the
/// network.
std::string offline_nix_conf(const Tools& tools, std::string_view system);
/// nix.conf of an image that is no seed: what a container takes, and Nix's own defaults.
std::string online_nix_conf(const Tools& tools);

/// Entries in tar order. A pure function of its arguments; `database` is the finished db.sqlite.
/// What runners need of a job container is in reference order: GitHub (a shell, tail, an
/// os-release, the loader at its usual place, a PATH in the config, git's safe.directory) and
/// GitLab (sh, bash).
std::vector<RootEntry> root_entries(const Tools& tools,
                                    const nix::Closure& closure,
                                    std::string_view system,
                                    std::string_view seed_json,
                                    std::string database);

/// The same entries as a layer, and as a folder on disk.
void write_entries(const std::vector<RootEntry>& entries, TarWriter& tar);
void write_entries(const std::vector<RootEntry>& entries, const std::filesystem::path& root);

/// The environment of a process in the image: what its config's Env says.
os::Environment image_environment(const Tools& tools);

/// amd64, arm64 ... for a Nix system; throws UsageError for what OCI has no name for.
std::string architecture_of(std::string_view system);
/// x86_64-linux-gnu for x86_64-linux: the folder in which a foreign program's loader looks.
std::string library_triple(std::string_view system);
/// Where the platform's ABI has programs look for their loader: lib64/ld-linux-x86-64.so.2.
std::string loader_path(std::string_view system);
/// Every Nix system that seeds can be made for.
std::vector<std::string> known_systems();

}  // namespace seed::image
