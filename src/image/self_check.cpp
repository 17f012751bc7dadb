#include "image/self_check.hpp"

#include <algorithm>
#include <memory>

#include <unistd.h>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/error.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "os/memory.hpp"
#include "os/sudo.hpp"

namespace seed::image {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kNamedHoles = 10;

std::string named(const std::vector<nix::StorePath>& paths) {
  std::string text;
  for (std::size_t i = 0; i < std::min(paths.size(), kNamedHoles); ++i) {
    text += "\n  " + paths[i].to_string();
  }
  if (paths.size() > kNamedHoles) {
    text += fmt::format("\n  and {} more", paths.size() - kNamedHoles);
  }
  return text;
}

std::string last_errors(std::string_view text) {
  const std::size_t at = text.rfind("error:");
  return std::string(trim(at == std::string_view::npos ? text : text.substr(at))).substr(0, 2000);
}

}  // namespace

ViewRunner::ViewRunner(os::Runner& inner,
                       fs::path self,
                       os::RootView view,
                       os::Environment environment)
    : inner_(inner),
      self_(std::move(self)),
      view_(std::move(view)),
      environment_(std::move(environment)) {}

os::Exit ViewRunner::run(const os::Command& command, const Sink& out, const Sink& err) {
  EnterRequest request{.view = view_, .argv = command.argv};
  os::Environment environment = environment_;
  for (const auto& [name, value] : command.extra) {
    environment[name] = value;
  }
  for (const std::string& name : command.unset) {
    environment.erase(name);
  }
  for (const auto& [name, value] : environment) {
    request.environment.push_back(name + "=" + value);
  }
  if (!command.directory.empty()) {
    request.view.directory = command.directory.string();
  }
  os::Command outer{.argv = view_.invoker ? os::sudo_prefix() : std::vector<std::string>(),
                    .input = command.input,
                    .input_fd = command.input_fd};
  outer.argv.insert(outer.argv.end(), {self_.string(), "enter"});
  const std::vector<std::string> arguments = to_arguments(request);
  outer.argv.insert(outer.argv.end(), arguments.begin(), arguments.end());
  return inner_.run(outer, out, err);
}

std::unique_ptr<ViewRunner> ViewRunner::unsynced() const {
  os::RootView view = view_;
  view.writes = os::Writes::unsynced;
  return std::make_unique<ViewRunner>(inner_, self_, std::move(view), environment_);
}

std::vector<std::string> to_arguments(const EnterRequest& request) {
  std::vector<std::string> arguments = os::to_arguments(request.view);
  for (const std::string& variable : request.environment) {
    arguments.insert(arguments.end(), {"--env", variable});
  }
  arguments.emplace_back("--");
  arguments.insert(arguments.end(), request.argv.begin(), request.argv.end());
  return arguments;
}

EnterRequest parse_enter(const std::vector<std::string>& arguments) {
  EnterRequest request;
  const auto end = std::ranges::find(arguments, "--");
  std::vector<std::string> view;
  for (auto it = arguments.begin(); it != end; ++it) {
    if (*it == "--env" && it + 1 != end) {
      request.environment.push_back(*++it);
    } else {
      view.push_back(*it);
    }
  }
  request.view = os::root_view_from_arguments(view);
  request.argv.assign(end == arguments.end() ? end : end + 1, arguments.end());
  if (request.argv.empty()) {
    throw UsageError("enter: no command after --");
  }
  return request;
}

os::Writes writes_of(std::size_t derivations,
                     std::uint64_t source_bytes,
                     std::uint64_t available_bytes) {
  // A page of the file, its folder's entry and inode, and a row of the database.
  constexpr std::uint64_t kDerivationBytes = 16 << 10;
  constexpr std::uint64_t kMaxBytes = 256 << 20;
  constexpr std::uint64_t kShare = 4;
  const std::uint64_t need = derivations * kDerivationBytes + source_bytes;
  return need <= std::min(kMaxBytes, available_bytes / kShare) ? os::Writes::dropped
                                                               : os::Writes::kept;
}

std::vector<nix::StorePath> holes_in(const nix::DryRun& dry_run,
                                     const std::set<nix::StorePath>& allowed) {
  std::vector<nix::StorePath> holes;
  for (const nix::StorePath& drv : dry_run.will_build) {
    if (!allowed.contains(drv)) {
      holes.push_back(drv);
    }
  }
  holes.insert(holes.end(), dry_run.will_fetch.begin(), dry_run.will_fetch.end());
  holes.insert(holes.end(), dry_run.unknown.begin(), dry_run.unknown.end());
  return holes;
}

namespace {

/// Runs programs with the seed's store database and settings, though not inside it: for containers,
/// which may not make namespaces. What Nix writes into the store meanwhile (derivations) has the
/// name of its content, so that it changes nothing that is there.
class DatabaseRunner final : public os::Runner {
 public:
  DatabaseRunner(os::Runner& inner, fs::path folder, const Tools& tools)
      : inner_(inner), folder_(std::move(folder)), tools_(tools) {}

  os::Exit run(const os::Command& command, const Sink& out, const Sink& err) override {
    os::Command outside = command;
    outside.argv.front() = tools_.nix.to_string() + "/bin/" + command.argv.front();
    for (const auto& [name, value] : image_environment(tools_)) {
      if (name != "PATH") {
        outside.extra[name] = value;
      }
    }
    const fs::path root = folder_ / "root";
    outside.extra["HOME"] = folder_ / "home";
    outside.extra["NIX_STATE_DIR"] = root / "nix/var/nix";
    outside.extra["NIX_CONF_DIR"] = root / "etc/nix";
    outside.extra["NIX_CONFIG"] =
        fmt::format("flake-registry = {}", (root / "etc/nix-seed/registry.json").string());
    // The network is there, but nothing may lead to it: port 9 is for what is thrown away (RFC
    // 863).
    for (const char* proxy : {"http_proxy", "https_proxy", "ftp_proxy", "all_proxy"}) {
      outside.extra[proxy] = "http://127.0.0.1:9";
    }
    outside.unset = {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "NIX_USER_CONF_FILES", "NIX_PATH"};
    return inner_.run(outside, out, err);
  }

 private:
  os::Runner& inner_;
  fs::path folder_;
  const Tools& tools_;
};

/// Of all files below `folder`; the most there can be where they can't be counted.
std::uint64_t bytes_below(const fs::path& folder) {
  std::uint64_t total = 0;
  try {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      total += entry.is_regular_file() && !entry.is_symlink() ? entry.file_size() : 0;
    }
  } catch (const fs::filesystem_error&) {
    return UINT64_MAX / 2;
  }
  return total;
}

/// What evaluation builds would be written as well, and may be anything.
os::Writes writes_for(const nix::SeedInputs& inputs) {
  return inputs.imports ? os::Writes::kept
                        : writes_of(inputs.graph.size(),
                                    bytes_below(inputs.metadata.source.to_string()),
                                    os::available_memory());
}

std::unique_ptr<os::Runner> runner_inside(const nix::SeedInputs& inputs,
                                          const Tools& tools,
                                          const Entrance& entrance,
                                          const fs::path& folder,
                                          Progress& progress) {
  std::optional<os::Invoker> invoker;
  try {
    invoker = os::who_needs_sudo(entrance.sudo);
  } catch (const Error& error) {
    if (::access(nix::kStoreDir.data(), W_OK) != 0) {
      throw Error("the seed can't be proven closed: " + error.message(),
                  "run as root or allow user namespaces; --unchecked seeds without the proof");
    }
    progress.step("checking that the seed is closed: an offline dry run with its database");
    return std::make_unique<DatabaseRunner>(entrance.runner, folder, tools);
  }
  progress.step("checking that the seed is closed: an offline dry run inside it");
  os::RootView view{.lower = folder / "root",
                    .store_lower = std::string(nix::kStoreDir),
                    .upper = folder / "upper",
                    .writes = writes_for(inputs),
                    .invoker = std::move(invoker)};
  if (!inputs.changed_folder.empty()) {
    view.binds.push_back({inputs.changed_folder, inputs.changed_folder, false});
  }
  return std::make_unique<ViewRunner>(
      entrance.runner, entrance.self, view, image_environment(tools));
}

}  // namespace

std::size_t check_closed(const nix::SeedInputs& inputs,
                         const std::vector<RootEntry>& entries,
                         const Tools& tools,
                         const Entrance& entrance,
                         const fs::path& scratch,
                         Progress& progress) {
  if (inputs.targets.wanted.empty()) {
    return 0;  // an image of tools alone: there is nothing to build in it
  }
  const fs::path folder = scratch / "self-check";
  write_entries(entries, folder / "root");
  const auto inside = runner_inside(inputs, tools, entrance, folder, progress);
  os::Command command{.argv = {"nix",
                               "--extra-experimental-features",
                               "nix-command flakes",
                               "build",
                               "--dry-run",
                               "--offline",
                               "--no-link",
                               "--no-write-lock-file"}};
  for (const nix::Target& target : inputs.targets.wanted) {
    if (target.kind != nix::TargetKind::app && target.kind != nix::TargetKind::evaluation) {
      command.argv.push_back(fmt::format("{}#{}", inputs.changed_flake, target.attribute));
    }
  }
  const os::Captured result = os::capture(*inside, command);
  if (!result.exit.ok()) {
    throw Error("the seed is not closed: evaluating the flake offline inside it failed:\n" +
                    last_errors(result.err),
                "an input that evaluation reads is missing; add it to 'contents' of lib.mkSeed");
  }
  const nix::DryRun dry_run = nix::parse_dry_run(result.err);
  const std::vector<nix::StorePath> holes = holes_in(dry_run, inputs.changed_own);
  if (!holes.empty()) {
    throw Error("the seed is not closed: a job would have to build or fetch" + named(holes),
                "add what is missing to 'contents' of lib.mkSeed, or report this as a bug");
  }
  return dry_run.will_build.size();
}

}  // namespace seed::image
