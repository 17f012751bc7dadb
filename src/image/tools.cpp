#include "image/tools.hpp"

#include <array>
#include <set>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/elf.hpp"
#include "os/file.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

constexpr std::array kNixPrograms{"nix",
                                  "nix-store",
                                  "nix-build",
                                  "nix-instantiate",
                                  "nix-shell",
                                  "nix-env",
                                  "nix-daemon",
                                  "nix-hash",
                                  "nix-collect-garbage",
                                  "nix-copy-closure",
                                  "nix-channel",
                                  "nix-prefetch-url"};
constexpr std::array kOtherPrograms{
    "bash",    "git",      "cat",      "tail",   "head",   "ls",        "env",   "id",
    "mkdir",   "rm",       "rmdir",    "cp",     "mv",     "ln",        "chmod", "chown",
    "touch",   "date",     "echo",     "printf", "pwd",    "true",      "false", "test",
    "sleep",   "sort",     "uniq",     "wc",     "cut",    "tr",        "tee",   "basename",
    "dirname", "readlink", "realpath", "mktemp", "stat",   "sha256sum", "uname", "whoami",
    "nproc",   "seq",      "du",       "df",     "mkfifo", "grep",      "sed",   "find",
    "xargs",   "tar",      "gzip",     "gunzip", "zstd",   "xz",        "diff",  "cmp",
    "which",   "install",  "expr",     "od",     "comm",   "paste"};
/// What runners call (reference: actions/runner ContainerOperationProvider; gitlab-runner
/// shells/bash) and what a person at a prompt reaches for first.
constexpr std::array kExpected{"sh",
                               "bash",
                               "tail",
                               "cat",
                               "grep",
                               "env",
                               "id",
                               "mkdir",
                               "rm",
                               "cp",
                               "ls",
                               "tar",
                               "gzip",
                               "git",
                               "nix",
                               "date",
                               "chmod"};
/// glibc's have about 250 KiB.
constexpr std::uint64_t kMaxLoaderBytes = 4 << 20;
constexpr std::array kBundles{"/etc/ssl/certs/ca-certificates.crt",
                              "/etc/pki/tls/certs/ca-bundle.crt",
                              "/etc/ssl/ca-bundle.pem",
                              "/etc/ssl/cert.pem"};

nix::StorePath store_path_of(const std::string& path) {
  const std::string prefix = std::string(nix::kStoreDir) + "/";
  if (!path.starts_with(prefix)) {
    throw FormatError(fmt::format("'{}' is not in the store", printable(path)),
                      "name packages, not host paths, in lib.mkSeed");
  }
  const std::size_t end = path.find('/', prefix.size());
  return nix::StorePath::parse(path.substr(0, end));
}

bool in_store(const fs::path& path) {
  return path.string().starts_with(std::string(nix::kStoreDir) + "/");
}

std::optional<std::string> static_shell(const std::map<std::string, std::string>& programs) {
  const auto shell = programs.find("sh");
  if (shell == programs.end() || !fs::exists(shell->second) ||
      os::inspect_elf(shell->second).kind != os::ElfKind::static_program) {
    return std::nullopt;
  }
  return shell->second;
}

/// Every runner starts steps with sh; bash is one under that name.
void add_shell(std::map<std::string, std::string>& programs) {
  if (const auto bash = programs.find("bash"); bash != programs.end()) {
    programs.emplace("sh", bash->second);
  }
}

std::optional<std::string> existing_folder(const fs::path& path) {
  return fs::is_directory(path) ? std::optional(path.string()) : std::nullopt;
}

/// Copies programs and the shared libraries they name into a folder that will be a store path.
class Bundle {
 public:
  Bundle(os::Runner& runner, fs::path folder) : runner_(runner), folder_(std::move(folder)) {
    os::make_dirs(folder_ / "bin");
    os::make_dirs(folder_ / "lib");
  }

  void add_program(const std::string& name, const fs::path& file) {
    copy(file, folder_ / "bin" / name, 0755);
    const os::ElfInfo elf = os::inspect_elf(file);
    if (elf.kind == os::ElfKind::dynamic_program) {
      loader_ = fs::path(elf.interpreter).filename().string();
      add_libraries(elf.interpreter, file);
    }
  }

  void add_file(const fs::path& file, const std::string& to) {
    os::make_dirs((folder_ / to).parent_path());
    copy(file, folder_ / to, 0644);
  }

  /// Libraries that programs from outside (a runner's Node) load and our own may not.
  void add_common_libraries(const fs::path& near) {
    for (const char* name : {"libdl.so.2",
                             "libpthread.so.0",
                             "libm.so.6",
                             "librt.so.1",
                             "libgcc_s.so.1",
                             "libstdc++.so.6"}) {
      if (fs::exists(near / name)) {
        add_library(name, near / name);
      }
    }
  }

  const std::string& loader() const { return loader_; }

  const fs::path& library_folder() const { return library_folder_; }

 private:
  /// The loader itself says what it would load: `--list` prints "name => /path (0x...)".
  void add_libraries(const std::string& interpreter, const fs::path& file) {
    os::Command command{.argv = {interpreter, "--list", file.string()}};
    const os::Captured listed = os::capture(runner_, command);
    if (!listed.exit.ok()) {
      throw Error(fmt::format("{} can't list the libraries of {}", interpreter, file.string()));
    }
    add_library(loader_, interpreter);
    for (const std::string_view line : split(listed.out, '\n')) {
      const std::size_t arrow = line.find(" => ");
      const std::size_t end = line.rfind(" (");
      if (arrow != std::string_view::npos && end != std::string_view::npos && end > arrow) {
        const fs::path library = std::string(line.substr(arrow + 4, end - arrow - 4));
        library_folder_ = library.parent_path();
        add_library(std::string(trim(line.substr(0, arrow))), library);
      }
    }
  }

  void add_library(const std::string& name, const fs::path& file) {
    if (copied_.insert(name).second) {
      copy(file, folder_ / "lib" / name, 0755);
    }
  }

  static void copy(const fs::path& from, const fs::path& to, int mode) {
    fs::copy_file(fs::canonical(from), to, fs::copy_options::overwrite_existing);
    fs::permissions(to, static_cast<fs::perms>(mode));
  }

  os::Runner& runner_;
  fs::path folder_;
  std::string loader_;
  fs::path library_folder_;
  std::set<std::string> copied_;
};

/// Adds what PATH has under `name`; programs that are in the store already are only noted.
void add_from_path(const os::Environment& environment,
                   const std::string& name,
                   Bundle& bundle,
                   std::vector<std::string>& store_folders) {
  const auto found = os::find_program(environment, name);
  if (!found) {
    return;
  }
  const fs::path real = fs::canonical(*found);
  if (in_store(real)) {
    store_folders.push_back(store_path_of(real.string()).to_string());
  } else {
    bundle.add_program(name, real);
  }
}

}  // namespace

ResolvedTools tools_from_config(const nix::SeedConfig& config, const std::string& origin) {
  ResolvedTools resolved{.tools = {.nix = store_path_of(config.nix)}, .origin = origin};
  std::vector<std::string> folders{config.nix};
  folders.insert(folders.end(), config.tools.begin(), config.tools.end());
  Tools& tools = resolved.tools;
  tools.programs = programs_in(folders);
  add_shell(tools.programs);
  tools.libraries = libraries_in(config.libs);
  tools.cacert = config.cacert;
  tools.loader = config.loader;
  if (config.loader && fs::exists(*config.loader)) {
    tools.loader_bytes = os::read_file(*config.loader, kMaxLoaderBytes);
  }
  tools.config = config.config;
  tools.offline = config.offline;
  tools.nix_libexec = existing_folder(fs::path(config.nix) / "libexec");
  tools.sandbox_shell = static_shell(tools.programs);
  for (const auto& list : {folders, config.contents, config.libs}) {
    for (const std::string& path : list) {
      resolved.roots.push_back(store_path_of(path));
    }
  }
  for (const auto& file : {config.cacert, config.loader}) {
    if (file) {
      resolved.roots.push_back(store_path_of(*file));
    }
  }
  return resolved;
}

ResolvedTools tools_from_machine(nix::Nix& nix,
                                 const os::Environment& environment,
                                 const fs::path& scratch) {
  const fs::path folder = scratch / "nix-seed-machine-tools";
  Bundle bundle(nix.runner(), folder);
  std::vector<std::string> store_folders;
  for (const char* name : kNixPrograms) {
    add_from_path(environment, name, bundle, store_folders);
  }
  for (const char* name : kOtherPrograms) {
    add_from_path(environment, name, bundle, store_folders);
  }
  if (!bundle.library_folder().empty()) {
    bundle.add_common_libraries(bundle.library_folder());
  }
  bool has_bundle = false;
  for (const char* candidate : kBundles) {
    if (!has_bundle && fs::exists(candidate)) {
      bundle.add_file(candidate, "etc/ssl/certs/ca-certificates.crt");
      has_bundle = true;
    }
  }
  for (const char* helper : {"/usr/libexec/nix/build-remote", "/usr/lib/nix/build-remote"}) {
    if (fs::exists(helper)) {
      os::make_dirs(folder / "libexec/nix");
      fs::create_symlink("../../bin/nix", folder / "libexec/nix/build-remote");
      break;
    }
  }

  const nix::StorePath added = nix.add_path(folder, "nix-seed-machine-tools");
  store_folders.insert(store_folders.begin(), added.to_string());
  ResolvedTools resolved{.tools = {.nix = added}, .origin = "programs of this machine"};
  for (const std::string& store_folder : store_folders) {
    resolved.roots.push_back(nix::StorePath::parse(store_folder));
    if (fs::exists(fs::path(store_folder) / "bin/nix")) {
      resolved.tools.nix = resolved.roots.back();
    }
  }
  Tools& tools = resolved.tools;
  tools.programs = programs_in(store_folders);
  add_shell(tools.programs);
  tools.libraries = libraries_in({added.to_string() + "/lib"});
  tools.nix_libexec = existing_folder(tools.nix.to_string() + "/libexec");
  if (!bundle.loader().empty()) {
    tools.loader = added.to_string() + "/lib/" + bundle.loader();
  }
  if (has_bundle) {
    tools.cacert = added.to_string() + "/etc/ssl/certs/ca-certificates.crt";
  }
  tools.sandbox_shell = static_shell(tools.programs);
  return resolved;
}

std::vector<std::string> missing_programs(const Tools& tools) {
  std::vector<std::string> missing;
  for (const char* name : kExpected) {
    if (!tools.programs.contains(name)) {
      missing.emplace_back(name);
    }
  }
  return missing;
}

}  // namespace seed::image
