#include "app/project.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/layout.hpp"
#include "oci/registry.hpp"
#include "os/fd.hpp"
#include "os/file.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

/// Real locks are below 200 KiB; a hundred inputs with a hundred inputs each stay below this.
constexpr std::uint64_t kMaxLockBytes = 16 << 20;

struct FlakeArgument {
  std::string flake;
  std::string attribute;
};

FlakeArgument split_argument(const std::string& argument) {
  const std::size_t hash = argument.find('#');
  if (hash == std::string::npos) {
    return {argument, {}};
  }
  return {argument.substr(0, hash), argument.substr(hash + 1)};
}

/// The nearest folder with a flake.nix, as Nix itself looks for it.
fs::path folder_of_flake(const fs::path& start) {
  for (fs::path folder = start;; folder = folder.parent_path()) {
    if (fs::exists(folder / "flake.nix")) {
      return folder;
    }
    if (folder == folder.parent_path()) {
      throw UsageError(fmt::format("there is no flake.nix in {} or above it", start.string()),
                       "run in the folder of a flake, or name that folder");
    }
  }
}

/// Repository names are lower case with single separators (distribution-spec, "Pulling manifests").
std::string repository_name(std::string_view text) {
  std::string name;
  for (const char c : to_lower(text)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (plain) {
      name += c;
    } else if (!name.empty() && name.back() != '-') {
      name += '-';
    }
  }
  while (!name.empty() && name.back() == '-') {
    name.pop_back();
  }
  return name.empty() ? "flake" : name;
}

/// What needs no event to be known.
ci::Facts facts_of(const os::Environment& environment) {
  return ci::make_host(ci::detect(environment), environment, {})->facts();
}

/// The user's own logins, then that of the job.
class JobCredentials final : public oci::CredentialSource {
 public:
  JobCredentials(std::unique_ptr<oci::CredentialSource> own, std::vector<ci::Login> logins)
      : own_(std::move(own)), logins_(std::move(logins)) {}

  std::optional<oci::Credential> find(const std::string& host,
                                      const std::string& repository) override {
    if (auto found = own_->find(host, repository)) {
      return found;
    }
    for (const ci::Login& login : logins_) {
      if (login.host == host) {
        return oci::Credential{
            .user = login.user, .password = login.password, .identity_token = {}};
      }
    }
    return std::nullopt;
  }

 private:
  std::unique_ptr<oci::CredentialSource> own_;
  std::vector<ci::Login> logins_;
};

}  // namespace

std::string read_lock(const fs::path& file) {
  if (!fs::exists(file)) {
    throw UsageError(fmt::format("there is no flake.lock at {} (NS001)", file.string()),
                     "run 'nix flake lock' and commit flake.lock");
  }
  if (!fs::is_regular_file(file)) {
    throw UsageError(fmt::format("{} is no file", file.string()), "name a flake.lock");
  }
  return os::read_file(file, kMaxLockBytes);
}

nix::FlakeLock parse_lock(const fs::path& file, std::string_view text) {
  constexpr std::string_view kPrefix = "flake.lock: ";
  try {
    return nix::parse_flake_lock(text);
  } catch (const FormatError& error) {
    std::string_view message = error.message();
    if (message.starts_with(kPrefix)) {
      message.remove_prefix(kPrefix.size());
    }
    throw FormatError(fmt::format("reading {}: {}", file.string(), message),
                      "take the file from git, or write it anew: remove it, then 'nix flake lock'");
  }
}

Project find_project(const World& world, const std::vector<std::string>& arguments) {
  Project project;
  std::string named = ".";
  for (const std::string& argument : arguments) {
    const FlakeArgument split = split_argument(argument);
    const std::string flake = split.flake.empty() ? "." : split.flake;
    if (&argument != &arguments.front() && flake != named) {
      throw UsageError(fmt::format("'{}' and '{}' are two flakes", named, printable(flake)),
                       "name outputs of one flake in a call");
    }
    named = flake;
    if (!split.attribute.empty()) {
      project.attributes.push_back(split.attribute);
    }
  }
  if (named.starts_with("path:")) {
    named.erase(0, 5);
  }
  std::error_code code;
  const fs::path start = fs::weakly_canonical(world.directory / named, code);
  if (code || !fs::is_directory(start)) {
    throw UsageError(fmt::format("'{}' is no folder of this machine", printable(named)),
                     "check the flake out, and name the folder with its flake.nix");
  }
  project.folder = folder_of_flake(start);
  if (world.ci != nullptr) {
    world.ci->set_flake_folder(project.folder);
  }
  project.git = os::inspect_git(project.folder);
  project.flake = project.git ? project.folder.string() : "path:" + project.folder.string();
  project.name = repository_name(project.folder.filename().string());
  const fs::path lock = project.folder / "flake.lock";
  project.lock_text = read_lock(lock);
  project.lock = parse_lock(lock, project.lock_text);
  project.tag = nix::lock_tag(project.lock_text);
  project.key = nix::lock_key(project.lock);
  return project;
}

fs::path cache_folder(const os::Environment& environment) {
  if (const auto own = os::get(environment, "NIX_SEED_CACHE")) {
    return fs::absolute(*own);
  }
  if (const auto xdg = os::get(environment, "XDG_CACHE_HOME")) {
    return fs::path(*xdg) / "nix-seed";
  }
  if (const auto home = os::get(environment, "HOME")) {
    return fs::path(*home) / ".cache/nix-seed";
  }
  throw UsageError("there is no place for a cache: HOME is not set",
                   "set NIX_SEED_CACHE to a folder");
}

fs::path usable_cache(const os::Environment& environment) {
  fs::path cache = cache_folder(environment);
  constexpr const char* kHint = "set NIX_SEED_CACHE to a folder that can be written";
  try {
    os::make_dirs(cache);
  } catch (const Error& error) {
    throw UsageError(fmt::format("the cache folder can't be used: {}", error.message()), kHint);
  }
  if (::access(cache.c_str(), W_OK | X_OK) != 0) {
    throw UsageError(fmt::format("the cache folder {} can't be written", cache.string()), kHint);
  }
  return cache;
}

std::string default_registry(const os::Environment& environment, const std::string& project) {
  if (const std::string own = facts_of(environment).registry; !own.empty()) {
    return own;
  }
  return fmt::format("oci:{}", (cache_folder(environment) / "registry" / project).string());
}

OpenRepository open_repository(const World& world,
                               const Options& options,
                               const std::string& reference) {
  OpenRepository open{.reference = oci::Reference::parse(reference)};
  if (open.reference.is_layout()) {
    open.repository = oci::open_layout(fs::absolute(open.reference.layout_path()));
    return open;
  }
  open.credentials = std::make_unique<JobCredentials>(
      oci::file_credentials(world.environment, world.runner), facts_of(world.environment).logins);
  open.repository = oci::open_registry(
      open.reference, world.transport, *open.credentials, {.insecure = options.flag("insecure")});
  return open;
}

std::string machine_system() {
  utsname name{};
  ::uname(&name);
  return std::string(name.machine) + "-linux";
}

struct Workspace::State {
  fs::path path;
  os::FileLock lock;
};

Workspace::Workspace(const fs::path& cache) {
  const fs::path work = cache / "work";
  os::make_dirs(work);
  // One run at a time tidies up; a run holds the lock of its own folder for as long as it lives.
  const os::FileLock tidying(work / "tidy.lock");
  for (const auto& entry : fs::directory_iterator(work)) {
    if (!entry.is_directory()) {
      continue;
    }
    const fs::path lock = entry.path() / "lock";
    const os::Fd fd(::open(lock.c_str(), O_RDWR | O_CLOEXEC));
    const bool in_use = fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0;
    if (!in_use) {
      os::remove_tree(entry.path());
    }
  }
  std::string name = work / "run-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    os::throw_errno("creating a working folder in", work);
  }
  state_ = std::make_unique<State>(State{name, os::FileLock(fs::path(name) / "lock")});
}

Workspace::~Workspace() {
  try {
    os::remove_tree(state_->path);
  } catch (const Error&) {
    // The next run removes it.
  }
}

const fs::path& Workspace::path() const {
  return state_->path;
}

}  // namespace seed::app
