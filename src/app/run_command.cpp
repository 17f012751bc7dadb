#include <array>
#include <utility>

#include <unistd.h>

#include <fmt/core.h>

#include "app/commands.hpp"
#include "app/entering.hpp"
#include "app/publish_report.hpp"
#include "app/showing.hpp"
#include "app/trust_material.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "image/rootfs.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

constexpr std::array kOptions{
    OptionSpec{"command", "LINES", "lines for the seed's sh instead of COMMAND"},
    OptionSpec{"flake", "FLAKE", "the flake whose seed it is; default: the working directory"},
    OptionSpec{"network", "", "leave the command the machine's network"},
    OptionSpec{"registry", "REF", "repository for seeds: HOST/NAME or oci:PATH"},
    kImageOption,
    OptionSpec{"system", "SYSTEM", "Nix system of the seed; default: this machine's"},
    kDeliveryOption,
    kCacheSizeOption,
    kVerifyOption,
    kSeedPolicyOption,
    OptionSpec{"insecure", "", "speak plain http to the registry"},
    kTrustedRootOption,
};

/// Passes on whole lines, so that no secret in one is cut in two.
class Lines {
 public:
  explicit Lines(const World& world) : world_(world) {}

  void take(std::string_view chunk) {
    text_ += chunk;
    const std::size_t end = text_.rfind('\n');
    if (end != std::string::npos || text_.size() > kMaxLine) {
      const std::size_t size = end == std::string::npos ? text_.size() : end + 1;
      print_result(world_, text_.substr(0, size));
      text_.erase(0, size);
    }
  }

  void finish() {
    if (!text_.empty()) {
      print_result(world_, std::exchange(text_, {}));
    }
  }

 private:
  static constexpr std::size_t kMaxLine = 1 << 20;
  const World& world_;
  std::string text_;
};

/// The working directory, where it is in the checkout that the view shows.
fs::path start_of(const World& world, const Project& project) {
  const fs::path& source = project.git ? project.git->root : project.folder;
  const fs::path below = world.directory.lexically_relative(source);
  return below.empty() || *below.begin() == ".." ? project.folder : world.directory;
}

/// The command line, or that of --command, which a person or a job's YAML may leave in the
/// environment.
std::vector<std::string> command_of(const Options& options) {
  const auto lines = options.get("command");
  if (!options.positional().empty()) {
    return options.positional();
  }
  if (!lines) {
    throw UsageError("run: there is no command to run",
                     "nix-seed run -- COMMAND [ARGUMENT...], or --command 'LINES'");
  }
  return {"sh", "-euc", *lines};
}

int run_run(const World& world, const Options& options) {
  const std::vector<std::string> command = command_of(options);
  std::vector<std::string> flake;
  if (const auto named = options.get("flake")) {
    flake.push_back(*named);
  }
  const Project project = find_project(world, flake);
  const std::string system = options.get("system").value_or(machine_system());
  image::architecture_of(system);
  usable_cache(world.environment);
  check_delivery(options);
  const Gate gate = gate_of(world, options, project);
  const Inside inside{.writable = true,
                      .results = true,
                      .network = options.flag("network") ? os::Network::host : os::Network::none,
                      .directory = start_of(world, project)};
  SeedChoice choice;
  std::optional<os::FileLock> lock;
  const Place place = enter_seed(world, options, gate, project, system, inside, choice, lock);
  if (!place.runner && !inside_seed()) {
    if (choice.unreachable) {
      throw NetworkError(*choice.unreachable);
    }
    throw Error(choice.reason, choice.hint);
  }
  os::Runner& runner = place.runner ? *place.runner : world.runner;
  Lines lines(world);
  const os::Exit exit = runner.run(
      {.argv = command, .input_fd = STDIN_FILENO},
      [&](ByteView chunk) { lines.take(text_of(chunk)); },
      [&](ByteView chunk) { world.progress.output(text_of(chunk)); });
  lines.finish();
  return exit.code;
}

}  // namespace

const Command kRunCommand{
    "run",
    "COMMAND [ARGUMENT...]",
    "run a command inside the seed",
    "Finds the seed of flake.lock, enters it as 'build' does, and runs the command there: with "
    "the\n"
    "seed's programs, the checkout at its own path, to be written to, what 'build' left, and no\n"
    "network. Write -- before the command where it has options. The exit code is the command's.",
    kOptions,
    run_run,
    "nix-seed run -- nix develop --offline --command make check"};

}  // namespace seed::app
