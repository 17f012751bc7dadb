#include "image/checklist.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "image/assemble.hpp"
#include "image/rootfs.hpp"

namespace seed::image {
namespace {

using nlohmann::json;

constexpr const char* kAddTool =
    "add a package that has it to 'tools' of lib.mkSeed, or install it in the image";
constexpr const char* kAddLibraries =
    "set 'loader' and 'libs' of lib.mkSeed (glibc and gcc's libraries), or install them";
constexpr const char* kSourceLabel = "org.opencontainers.image.source";
constexpr const char* kUsualBundle = "/etc/ssl/certs/ca-certificates.crt";

/// The libraries that official builds of Node name (readelf -d), beside the loader.
constexpr std::array kNodeLibraries{
    "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "libgcc_s.so.1", "libstdc++.so.6"};

Check passed(std::string name, std::string found) {
  return {std::move(name), CheckStatus::passed, std::move(found), {}};
}

Check failed(std::string name, std::string found, std::string fix) {
  return {std::move(name), CheckStatus::failed, std::move(found), std::move(fix)};
}

Check advised(std::string name, std::string found, std::string fix) {
  return {std::move(name), CheckStatus::advised, std::move(found), std::move(fix)};
}

std::string value_of(const os::Environment& environment, std::string_view name) {
  return os::get(environment, name).value_or("");
}

/// The Nix system that OCI calls by this architecture; empty where we know none.
std::string system_of(const RunConfig& config) {
  for (const std::string& system : known_systems()) {
    if (architecture_of(system) == config.architecture) {
      return system;
    }
  }
  return {};
}

Check check_platform(const JobImage& image) {
  const RunConfig& config = image.config;
  const std::string found = fmt::format("{}/{}", config.os, config.architecture);
  if (config.os != "linux" || system_of(config).empty()) {
    return failed("platform", printable(found), "job containers are Linux images");
  }
  return passed("platform", found);
}

/// After a step wrote to GITHUB_PATH the runner starts programs with that and the image's PATH; an
/// image without one is left with the former alone (actions/runner, ParsePathFromConfigEnv).
Check check_path(const JobImage& image) {
  const std::string path = value_of(image.config.environment, "PATH");
  return path.empty() ? failed("path", "the config's Env has no PATH", "set PATH in the image")
                      : passed("path", "PATH=" + printable(path));
}

Check check_program(const JobImage& image, const std::string& name) {
  const auto found = image.tree.find_program(name, value_of(image.config.environment, "PATH"));
  return found ? passed(name, "/" + printable(found->path))
               : failed(name, "not found through PATH", kAddTool);
}

Check advise_program(const JobImage& image, const std::string& name, const char* without) {
  Check check = check_program(image, name);
  if (check.status == CheckStatus::failed) {
    check.status = CheckStatus::advised;
    check.found += fmt::format("; {}", without);
  }
  return check;
}

/// GitLab's runner looks for a shell by full path, whatever PATH is (gitlab-runner,
/// shells/bash.go).
Check check_shell_path(const JobImage& image) {
  for (const char* path : {"/usr/local/bin/bash",
                           "/usr/bin/bash",
                           "/bin/bash",
                           "/usr/local/bin/sh",
                           "/usr/bin/sh",
                           "/bin/sh",
                           "/busybox/sh"}) {
    if (image.tree.find(path)) {
      return passed("shell-path", path);
    }
  }
  return failed("shell-path", "no bash or sh in /bin or /usr/bin", "link /bin/sh to a shell");
}

Check check_loader(const JobImage& image, const std::string& system) {
  const std::string path = "/" + loader_path(system);
  if (const auto found = image.tree.find(path)) {
    return passed("loader", fmt::format("{} is /{}", path, printable(found->path)));
  }
  return failed(
      "loader", fmt::format("there is no {}: the runner's Node can't start", path), kAddLibraries);
}

/// Where the image's loader searches: LD_LIBRARY_PATH, then its own folders (ld.so(8)); the usual
/// ones where it names none that we can read.
std::vector<std::string> library_folders(const JobImage& image, const std::string& system) {
  std::vector<std::string> folders;
  const std::string named = value_of(image.config.environment, "LD_LIBRARY_PATH");
  for (const std::string_view folder : split(named, ':')) {
    folders.emplace_back(folder);
  }
  const auto loader = image.tree.find("/" + loader_path(system));
  if (loader && !loader->node->folders.empty()) {
    folders.insert(folders.end(), loader->node->folders.begin(), loader->node->folders.end());
    return folders;
  }
  const std::string triple = library_triple(system);
  folders.insert(
      folders.end(),
      {"/lib/" + triple, "/usr/lib/" + triple, "/lib64", "/usr/lib64", "/lib", "/usr/lib"});
  return folders;
}

Check check_libraries(const JobImage& image, const std::string& system) {
  const std::vector<std::string> folders = library_folders(image, system);
  std::vector<std::string> missing;
  for (const char* name : kNodeLibraries) {
    if (std::ranges::none_of(folders, [&](const std::string& folder) {
          return !folder.empty() && image.tree.find(folder + "/" + name);
        })) {
      missing.emplace_back(name);
    }
  }
  if (missing.empty()) {
    return passed("libraries", fmt::format("{}", fmt::join(kNodeLibraries, ", ")));
  }
  return failed("libraries",
                fmt::format("the loader does not find {}, which the runner's Node needs",
                            fmt::join(missing, ", ")),
                kAddLibraries);
}

/// Runners ask `cat /etc/*release | grep ^ID`, and take another Node where that says alpine.
Check check_os_release(const JobImage& image) {
  for (const std::string& path : image.tree.entries_of("/etc")) {
    const auto file = path.ends_with("release") ? image.tree.find(path) : std::nullopt;
    if (!file) {
      continue;
    }
    for (const std::string_view line : split(file->node->content, '\n')) {
      if (!line.starts_with("ID=")) {
        continue;
      }
      if (line.find("alpine") != std::string_view::npos) {
        return failed("os-release",
                      printable(line) + ": runners start a Node for musl there",
                      "take an image with glibc");
      }
      return passed("os-release", printable(line));
    }
  }
  return failed("os-release", "no line ID=... in /etc/*release", "add /etc/os-release");
}

Check check_passwd(const JobImage& image) {
  const auto file = image.tree.find("/etc/passwd");
  if (file && ("\n" + file->node->content).find("\nroot:") != std::string::npos) {
    return passed("passwd", "/etc/passwd knows root");
  }
  return failed("passwd", "no root in /etc/passwd", "add /etc/passwd with a line for root");
}

Check check_tmp(const JobImage& image) {
  const auto folder = image.tree.find("/tmp");
  if (!folder || folder->node->kind != TarEntry::Kind::directory) {
    return failed("tmp", "there is no folder /tmp", "add /tmp with mode 1777");
  }
  const std::uint32_t mode = folder->node->mode & 07777;
  const std::string found = fmt::format("/tmp has mode {:04o}", mode);
  return mode == 01777 ? passed("tmp", found) : failed("tmp", found, "give /tmp mode 1777");
}

/// The workspace is owned by the runner's user on the machine.
Check check_user(const JobImage& image) {
  const std::string& user = image.config.user;
  if (user.empty() || user == "root" || user == "0" || user.starts_with("root:") ||
      user.starts_with("0:")) {
    return passed("user", "root");
  }
  return failed("user",
                printable(user) + " can't write to the workspace, which is another user's",
                "leave the config's User empty");
}

bool trusts_every_folder(std::string_view gitconfig) {
  bool in_safe = false;
  for (const std::string_view raw : split(gitconfig, '\n')) {
    const std::string line = to_lower(trim(raw));
    if (line.starts_with('[')) {
      in_safe = line.starts_with("[safe]");
    }
    std::string plain;
    std::ranges::copy_if(
        line, std::back_inserter(plain), [](char c) { return c != ' ' && c != '"'; });
    if (in_safe && plain.ends_with("directory=*")) {
      return true;
    }
  }
  return false;
}

/// HOME is the runner's own, so that only the system's file counts; Nix reads it through libgit2.
Check check_safe_directory(const JobImage& image) {
  const auto file = image.tree.find("/etc/gitconfig");
  if (file && trusts_every_folder(file->node->content)) {
    return passed("safe-directory", "/etc/gitconfig trusts every folder");
  }
  const os::Environment& environment = image.config.environment;
  for (const auto& [name, value] : environment) {
    const std::string key = "GIT_CONFIG_KEY_";
    if (name.starts_with(key) && value == "safe.directory" &&
        value_of(environment, "GIT_CONFIG_VALUE_" + name.substr(key.size())) == "*") {
      return passed("safe-directory", name + " in the environment");
    }
  }
  return failed("safe-directory",
                "git and Nix refuse a checkout that is another user's",
                "add /etc/gitconfig with [safe] directory = *");
}

Check check_certificates(const JobImage& image) {
  std::string where = kUsualBundle;
  for (const char* name : {"SSL_CERT_FILE", "NIX_SSL_CERT_FILE"}) {
    if (const auto named = os::get(image.config.environment, name)) {
      where = *named;
      if (!image.tree.find(where)) {
        return failed("certificates",
                      fmt::format("{}={} leads nowhere", name, printable(where)),
                      "set it to a file of CA certificates: 'cacert' of lib.mkSeed");
      }
    }
  }
  if (image.tree.find(where)) {
    return passed("certificates", printable(where));
  }
  return failed("certificates",
                "no CA certificates: no connection with TLS works",
                "set 'cacert' of lib.mkSeed, or install ca-certificates");
}

bool is_seed(const JobImage& image) {
  const auto file = image.tree.find("/etc/nix-seed/seed.json");
  const json seed = json::parse(file ? file->node->content : "", nullptr, false);
  return seed.is_object() && seed.contains("nix") && seed.contains("system");
}

Check check_seed(const JobImage& image) {
  if (is_seed(image)) {
    return passed("seed", "/etc/nix-seed/seed.json");
  }
  return advised("seed",
                 "no /etc/nix-seed/seed.json: the image holds no build inputs",
                 "make a seed with 'nix-seed seed'");
}

Check check_labels(const JobImage& image) {
  const auto& labels = image.config.labels;
  if (is_seed(image)) {
    for (const std::string_view name : {kClosureLabel, kSystemLabel}) {
      if (!labels.contains(std::string(name))) {
        return failed("labels", fmt::format("no {}", name), "make the seed again");
      }
    }
  }
  const auto label = labels.find(kSourceLabel);
  const auto annotation = image.annotations.find(kSourceLabel);
  if (label != labels.end() || annotation != image.annotations.end()) {
    return passed("labels", printable(label != labels.end() ? label->second : annotation->second));
  }
  return advised("labels",
                 fmt::format("no {}: ghcr.io links the package to no repository", kSourceLabel),
                 "seed a checkout whose remote 'origin' is set, or label the image");
}

/// GitLab's runner starts its shell through the entrypoint.
Check check_entrypoint(const JobImage& image) {
  const auto& entrypoint = image.config.entrypoint;
  if (entrypoint.empty()) {
    return passed("entrypoint", "none");
  }
  const std::string found = printable(fmt::format("{}", fmt::join(entrypoint, " ")));
  if (entrypoint.size() == 1 && entrypoint.front().ends_with("/nix-seed") &&
      image.tree.find("/etc/nix-seed/closure")) {
    return passed("entrypoint", found + " starts the command that it is given");
  }
  return advised("entrypoint",
                 found + " must start the command that it is given",
                 "where it does not, say 'entrypoint: [\"\"]' below 'image:' in .gitlab-ci.yml");
}

}  // namespace

bool all_passed(const std::vector<Check>& checks) {
  return std::ranges::none_of(
      checks, [](const Check& check) { return check.status == CheckStatus::failed; });
}

std::vector<Check> check_job_image(const JobImage& image) {
  std::vector<Check> checks{check_platform(image), check_path(image)};
  for (const char* name : {"tail", "sh", "bash", "cat", "grep", "env", "id"}) {
    checks.push_back(check_program(image, name));
  }
  checks.push_back(check_shell_path(image));
  checks.push_back(advise_program(image, "git", "checkouts come without history"));
  checks.push_back(advise_program(image, "tar", "caches and artifacts can't be unpacked"));
  checks.push_back(advise_program(image, "nix", "nothing can be built with it"));
  if (const std::string system = system_of(image.config); !system.empty()) {
    checks.push_back(check_loader(image, system));
    checks.push_back(check_libraries(image, system));
  }
  for (const auto check : {check_os_release,
                           check_passwd,
                           check_tmp,
                           check_user,
                           check_safe_directory,
                           check_certificates,
                           check_seed,
                           check_labels,
                           check_entrypoint}) {
    checks.push_back(check(image));
  }
  return checks;
}

}  // namespace seed::image
