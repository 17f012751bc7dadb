#include "image/rootfs.hpp"

#include <algorithm>
#include <array>

#include <sys/stat.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "nix/nix.hpp"
#include "os/file.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;
using Kind = RootEntry::Kind;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n";
constexpr std::string_view kGroup = "root:x:0:\nnogroup:x:65534:\n";
constexpr std::string_view kOsRelease =
    "ID=nix-seed\nNAME=\"nix-seed\"\nPRETTY_NAME=\"A seed made by nix-seed\"\n";
// The checkout belongs to the runner's user and the job runs as root: without this, git and Nix
// refuse to read it (actions/runner#2033, NixOS/nix#10202).
constexpr std::string_view kGitConfig = "[safe]\n\tdirectory = *\n";
constexpr std::string_view kNsswitch = "hosts: files dns\npasswd: files\ngroup: files\n";

/// What one Nix system is called elsewhere.
struct SystemNames {
  std::string_view system;
  std::string_view architecture;  ///< GOARCH, as OCI has it
  std::string_view triple;        ///< Debian's multiarch folder
  std::string_view loader;        ///< the program interpreter that the platform's ABI fixes
};

constexpr std::array kSystems{
    SystemNames{"x86_64-linux", "amd64", "x86_64-linux-gnu", "lib64/ld-linux-x86-64.so.2"},
    SystemNames{"aarch64-linux", "arm64", "aarch64-linux-gnu", "lib/ld-linux-aarch64.so.1"},
    SystemNames{"i686-linux", "386", "i386-linux-gnu", "lib/ld-linux.so.2"},
    SystemNames{"armv7l-linux", "arm", "arm-linux-gnueabihf", "lib/ld-linux-armhf.so.3"},
    SystemNames{"riscv64-linux", "riscv64", "riscv64-linux-gnu", "lib/ld-linux-riscv64-lp64d.so.1"},
    SystemNames{"powerpc64le-linux", "ppc64le", "powerpc64le-linux-gnu", "lib64/ld64.so.2"},
};

const SystemNames& names_of(std::string_view system) {
  const auto found = std::ranges::find(kSystems, system, &SystemNames::system);
  if (found == kSystems.end()) {
    throw UsageError(fmt::format("seeds for the system '{}' can't be made", printable(system)),
                     "systems: x86_64-linux, aarch64-linux, i686-linux, armv7l-linux, "
                     "riscv64-linux, powerpc64le-linux");
  }
  return *found;
}

/// Builds the list with parents before children, each folder once.
class Entries {
 public:
  void directory(const std::string& path, std::uint32_t mode = 0755) {
    if (entries_.contains(path)) {
      entries_.at(path).mode = mode;
      return;
    }
    add_parents(path);
    entries_.emplace(path, RootEntry{path, Kind::directory, mode, {}});
  }

  void file(const std::string& path, std::string content, std::uint32_t mode = 0644) {
    add_parents(path);
    entries_.insert_or_assign(path, RootEntry{path, Kind::file, mode, std::move(content)});
  }

  void symlink(const std::string& path, std::string target) {
    add_parents(path);
    entries_.insert_or_assign(path, RootEntry{path, Kind::symlink, 0777, std::move(target)});
  }

  std::vector<RootEntry> take() {
    std::vector<RootEntry> list;
    for (auto& [path, entry] : entries_) {
      list.push_back(std::move(entry));
    }
    return list;
  }

 private:
  void add_parents(const std::string& path) {
    if (const std::size_t slash = path.rfind('/'); slash != std::string::npos) {
      const std::string parent = path.substr(0, slash);
      if (!entries_.contains(parent)) {
        directory(parent);
      }
    }
  }

  std::map<std::string, RootEntry> entries_;
};

void add_files_in(const fs::path& folder,
                  bool (*wanted)(const fs::path&),
                  std::map<std::string, std::string>& found) {
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (wanted(entry.path())) {
      found.emplace(entry.path().filename().string(), entry.path().string());
    }
  }
}

}  // namespace

std::map<std::string, std::string> programs_in(const std::vector<std::string>& folders) {
  std::map<std::string, std::string> programs;
  for (const std::string& folder : folders) {
    add_files_in(
        fs::path(folder) / "bin",
        [](const fs::path& path) { return !path.filename().string().starts_with('.'); },
        programs);
  }
  return programs;
}

std::map<std::string, std::string> libraries_in(const std::vector<std::string>& folders) {
  std::map<std::string, std::string> libraries;
  for (const std::string& folder : folders) {
    add_files_in(
        folder,
        [](const fs::path& path) {
          return path.filename().string().find(".so") != std::string::npos &&
                 fs::is_regular_file(path);
        },
        libraries);
  }
  return libraries;
}

std::string with_search_folder(std::string loader, std::string_view folder) {
  const std::string store = std::string(nix::kStoreDir) + "/";
  for (std::size_t at = loader.find(store); at != std::string::npos; at = loader.find(store, at)) {
    const std::size_t end = std::min(loader.find('\0', at), loader.size());
    // In system_dirs (glibc, elf/dl-load.c), each folder ends with a slash and a NUL, and its
    // length is kept elsewhere: what is put there has the same length.
    const bool whole = at > 0 && loader[at - 1] == '\0' && end < loader.size();
    if (whole && loader[end - 1] == '/' && end - at >= folder.size()) {
      loader.replace(
          at, end - at, std::string(folder) + std::string(end - at - folder.size(), '/'));
    }
    at = end;
  }
  return loader;
}

namespace {

/// What ends both kinds of nix.conf.
std::string nix_conf_of(const Tools& tools) {
  std::string text;
  if (tools.sandbox_shell) {
    // For whoever turns the sandbox on: Nix as distributions build it has no shell of its own.
    text += fmt::format("sandbox-paths = /bin/sh={}\n", *tools.sandbox_shell);
  }
  text += tools.config;
  if (!tools.config.empty() && tools.config.back() != '\n') {
    text += '\n';
  }
  return text;
}

}  // namespace

std::string online_nix_conf(const Tools& tools) {
  return "experimental-features = nix-command flakes\n"
         "build-users-group =\n"
         "sandbox = false\n" +
         nix_conf_of(tools);
}

std::string offline_nix_conf(const Tools& tools, std::string_view system) {
  std::string text = fmt::format(
      "experimental-features = nix-command flakes\n"
      "system = {}\n"
      "build-users-group =\n"
      "sandbox = false\n"
      "substitute = false\n"
      "substituters =\n"
      "builders =\n"
      "fallback = false\n"
      "flake-registry = /etc/nix-seed/registry.json\n"
      "connect-timeout = 1\n"
      "download-attempts = 1\n"
      "fsync-metadata = false\n"
      "max-jobs = auto\n"
      "cores = 0\n",
      system);
  return text + nix_conf_of(tools);
}

std::vector<RootEntry> root_entries(const Tools& tools,
                                    const nix::Closure& closure,
                                    std::string_view system,
                                    std::string_view seed_json,
                                    std::string database) {
  Entries entries;
  for (const char* folder : {"bin", "dev", "etc", "proc", "sys", "usr", "var"}) {
    entries.directory(folder);
  }
  entries.directory("root", 0700);
  entries.directory("tmp", 01777);
  entries.directory("var/tmp", 01777);
  entries.directory("nix/store");
  entries.directory("nix/var/nix/gcroots");
  entries.directory("nix/var/nix/profiles");
  for (const auto& [name, target] : tools.programs) {
    entries.symlink("bin/" + name, target);
  }
  entries.symlink("usr/bin", "../bin");
  const std::string libraries = "lib/" + library_triple(system);
  for (const auto& [name, target] : tools.libraries) {
    entries.symlink(libraries + "/" + name, target);
  }
  if (!tools.libraries.empty()) {
    // Where loaders of other distributions search.
    entries.symlink("usr/lib", "../" + libraries);
    entries.symlink("usr/lib64", "../" + libraries);
  }
  if (tools.loader) {
    const std::string path = loader_path(system);
    std::string own = with_search_folder(tools.loader_bytes, "/" + libraries + "/");
    if (own == tools.loader_bytes) {
      entries.symlink(path, *tools.loader);
    } else {
      entries.file(path, std::move(own), 0755);
    }
  }
  if (tools.cacert) {
    entries.symlink("etc/ssl/certs/ca-certificates.crt", *tools.cacert);
    entries.symlink("etc/ssl/cert.pem", "certs/ca-certificates.crt");
  }
  entries.file("etc/passwd", std::string(kPasswd));
  entries.file("etc/group", std::string(kGroup));
  entries.file("etc/os-release", std::string(kOsRelease));
  entries.file("etc/gitconfig", std::string(kGitConfig));
  entries.file("etc/nsswitch.conf", std::string(kNsswitch));
  if (tools.offline) {
    entries.file("etc/nix/nix.conf", offline_nix_conf(tools, system));
    entries.file("etc/nix-seed/registry.json", std::string(nix::kEmptyRegistry));
    entries.file("etc/nix-seed/seed.json", std::string(seed_json));
  } else {
    entries.file("etc/nix/nix.conf", online_nix_conf(tools));
  }
  entries.file("etc/nix-seed/closure", closure.manifest());
  entries.file("etc/nix-seed/registration", nix::registration(closure));
  entries.file("nix/var/nix/db/db.sqlite", std::move(database));
  entries.file("nix/var/nix/db/schema", "10");
  return entries.take();
}

void write_entries(const std::vector<RootEntry>& entries, TarWriter& tar) {
  for (const RootEntry& entry : entries) {
    switch (entry.kind) {
      case Kind::directory:
        tar.directory(entry.path, entry.mode);
        break;
      case Kind::file:
        tar.file(entry.path, entry.mode, entry.content);
        break;
      case Kind::symlink:
        tar.symlink(entry.path, entry.content);
        break;
    }
  }
}

void write_entries(const std::vector<RootEntry>& entries, const fs::path& root) {
  os::make_dirs(root);
  for (const RootEntry& entry : entries) {
    const fs::path path = root / entry.path;
    switch (entry.kind) {
      case Kind::directory:
        os::make_dirs(path);
        ::chmod(path.c_str(), entry.mode);
        break;
      case Kind::file: {
        os::File file = os::File::create_new(path);
        file.write(bytes_of(entry.content));
        file.close();
        ::chmod(path.c_str(), entry.mode);
        break;
      }
      case Kind::symlink:
        fs::create_symlink(entry.content, path);
        break;
    }
  }
}

os::Environment image_environment(const Tools& tools) {
  os::Environment environment{
      {"PATH", "/usr/local/bin:/usr/bin:/bin"},
      {"HOME", "/root"},
      {"USER", "root"},
      {"NIX_REMOTE", "local"},
  };
  if (tools.cacert) {
    environment["SSL_CERT_FILE"] = "/etc/ssl/certs/ca-certificates.crt";
    environment["NIX_SSL_CERT_FILE"] = "/etc/ssl/certs/ca-certificates.crt";
  }
  if (tools.nix_libexec) {
    environment["NIX_LIBEXEC_DIR"] = *tools.nix_libexec;
  }
  return environment;
}

std::string architecture_of(std::string_view system) {
  return std::string(names_of(system).architecture);
}

std::string library_triple(std::string_view system) {
  return std::string(names_of(system).triple);
}

std::string loader_path(std::string_view system) {
  return std::string(names_of(system).loader);
}

std::vector<std::string> known_systems() {
  std::vector<std::string> systems;
  for (const SystemNames& names : kSystems) {
    systems.emplace_back(names.system);
  }
  return systems;
}

}  // namespace seed::image
