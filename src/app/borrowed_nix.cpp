#include "app/borrowed_nix.hpp"

#include <utility>

#include <fmt/core.h>

#include "app/building.hpp"
#include "app/gate.hpp"
#include "app/registry.hpp"
#include "app/seeding.hpp"
#include "app/showing.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "image/rootfs.hpp"
#include "os/file.hpp"
#include "os/image_mount.hpp"
#include "os/root_view.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

const fs::path kNixFolder = "/nix";
constexpr const char* kGetNix =
    "install Nix, or run in an image that has it, such as ghcr.io/0compute/nix-seed:1";

/// Programs are looked up and started with this environment instead of the process's own.
class EnvironmentRunner final : public os::Runner {
 public:
  EnvironmentRunner(os::Runner& inner, os::Environment environment)
      : inner_(inner), environment_(std::move(environment)) {}

  os::Exit run(const os::Command& command, const Sink& out, const Sink& err) override {
    os::Command with = command;
    with.extra.insert(environment_.begin(), environment_.end());
    if (auto program = os::find_program(environment_, command.argv.front())) {
      with.argv.front() = program->string();
    }
    return inner_.run(with, out, err);
  }

 private:
  os::Runner& inner_;
  os::Environment environment_;
};

/// How seeds are mounted here. Throws where they are not, or where /nix is somebody's.
os::Backing check_machine(const fs::path& cache) {
  if (fs::exists(kNixFolder / "store") && !fs::is_empty(kNixFolder / "store")) {
    throw UsageError("there is a /nix/store on this machine, and no Nix in PATH to use it with",
                     "put Nix into PATH, such as /nix/var/nix/profiles/default/bin");
  }
  const image::MountSupport support = image::mount_support(cache, nullptr);
  if (!support.backing) {
    throw UsageError(
        fmt::format("there is no Nix on this machine, and a seed's can't be mounted: {}",
                    support.why_not),
        kGetNix);
  }
  return *support.backing;
}

/// The folder of the seed's `nix`, as it is once the seed's store is at /nix.
fs::path folder_of_nix(const fs::path& root) {
  std::error_code code;
  const fs::path program = fs::read_symlink(root / "bin/nix", code);
  if (code || !program.string().starts_with(nix::kStoreDir)) {
    throw IntegrityError(fmt::format("the seed's /bin/nix leads to '{}', not into its store",
                                     printable(program.string())));
  }
  return program.parent_path();
}

/// Nix's settings: the seed's, but for what keeps it offline.  Builds have a sandbox, as a
/// machine's own files are around them here.
std::string settings_of(const fs::path& root, const std::string& system) {
  constexpr std::uint64_t kMaxBytes = 1 << 20;
  const std::string all = os::read_file(root / "etc/nix/nix.conf", kMaxBytes);
  const std::string offline = image::offline_nix_conf(
      {.nix = nix::StorePath::from_base_name("00000000000000000000000000000000-none")}, system);
  const std::string own = all.starts_with(offline) ? all.substr(offline.size()) : "";
  return "experimental-features = nix-command flakes\nbuild-users-group =\n" + own +
         (own.find("sandbox-paths") == std::string::npos ? "sandbox = false\n"
                                                         : "sandbox = true\n");
}

}  // namespace

StoreMount::StoreMount(const fs::path& lower, const fs::path& upper)
    : made_folder_(fs::create_directory(kNixFolder)) {
  try {
    os::mount_overlay(lower, upper, kNixFolder);
  } catch (...) {
    remove_folder();
    throw;
  }
}

StoreMount::~StoreMount() {
  try {
    os::unmount(kNixFolder);
  } catch (const Error&) {
    return;  // it goes with this process, which has it for itself
  }
  remove_folder();
}

void StoreMount::remove_folder() const {
  if (made_folder_) {
    std::error_code ignored;  // an empty folder is no harm
    fs::remove(kNixFolder, ignored);
  }
}

BorrowedNix::BorrowedNix(const World& outer, const Options& options)
    : workspace_(usable_cache(outer.environment)) {
  const fs::path cache = usable_cache(outer.environment);
  const os::Backing backing = check_machine(cache);
  const Project project = find_project(outer, options.positional());
  const std::string system = options.get("system").value_or(machine_system());
  const OpenRepository open =
      open_repository(outer, options, registry_for(outer, options, project));
  const auto before = find_previous(*open.repository, options, project, system);
  if (!before) {
    throw UsageError(
        fmt::format("there is no Nix on this machine, and {} has no seed whose Nix could be used",
                    open.repository->name()),
        kGetNix);
  }
  outer.progress.step(fmt::format("there is no Nix here: the seed {} has one",
                                  before->manifest.digest.to_string()));
  const Gate gate = gate_of(outer, options, project);
  pass_gate(outer,
            options,
            gate,
            *open.repository,
            before->manifest.digest,
            expected_of(project, system, before->config.closure, true));
  seed_ = mount_seed(outer, options, *open.repository, *before, cache, {.backing = backing});
  if (gate.mode != VerifyMode::off) {
    check_closure(seed_.root, before->config.closure);
  }
  os::Environment environment = outer.environment;
  environment["PATH"] = folder_of_nix(seed_.root).string() + ":" + environment["PATH"];
  environment["NIX_CONF_DIR"] = (workspace_.path() / "etc").string();
  os::make_dirs(workspace_.path() / "etc");
  os::atomic_write(workspace_.path() / "etc/nix.conf", settings_of(seed_.root, system));
  store_.emplace(seed_.root / "nix", workspace_.path() / "nix");
  runner_ = std::make_unique<EnvironmentRunner>(outer.runner, environment);
  world_.emplace(World{.environment = std::move(environment),
                       .directory = outer.directory,
                       .self = outer.self,
                       .clock = outer.clock,
                       .progress = outer.progress,
                       .runner = *runner_,
                       .transport = outer.transport,
                       .journal = outer.journal,
                       .ci = outer.ci});
}

}  // namespace seed::app
