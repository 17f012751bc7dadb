#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

#include <unistd.h>

#include <fmt/core.h>

#include "app/commands.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "image/self_check.hpp"
#include "os/clock.hpp"
#include "os/interrupt.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

const std::array<const Command*, 5> kCommands{
    &kSeedCommand, &kBuildCommand, &kPlanCommand, &kTagCommand, &kInspectCommand};

void put(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
}

std::string overview() {
  std::string text =
      "nix-seed packs a flake's build inputs as OCI layers and builds offline from them.\n\n"
      "usage: nix-seed COMMAND [OPTIONS]\n\n";
  for (const Command* command : kCommands) {
    text += fmt::format("  {:<9} {}\n", command->name, command->help);
  }
  return text +
         "\n'nix-seed COMMAND --help' says more. Every option is also a variable: --registry is\n"
         "NIX_SEED_REGISTRY. Exit codes: 0 done, 1 failed, 2 usage or configuration, 3 refused,\n"
         "4 quorum not met, 5 registry or network, 130 interrupted.\n";
}

std::string help_of(const Command& command) {
  return fmt::format("usage: nix-seed {} [OPTIONS] {}\n\n{}\n\n{}\nexample: {}\n",
                     command.name,
                     command.arguments,
                     command.description,
                     options_help(command.options),
                     command.example);
}

const Command* find_command(std::string_view name) {
  const auto found =
      std::ranges::find(kCommands, name, [](const Command* command) { return command->name; });
  return found == kCommands.end() ? nullptr : *found;
}

[[noreturn]] void unknown_command(const std::string& name) {
  std::string hint = "'nix-seed --help' lists the commands";
  for (const Command* command : kCommands) {
    if (command->name.starts_with(name.substr(0, 2)) && name.size() >= 2) {
      hint = fmt::format("did you mean '{}'?", command->name);
    }
  }
  throw UsageError(fmt::format("there is no command '{}'", printable(name)), hint);
}

/// As a container's entrypoint we are given whatever the runner wants to run: a program of the
/// image that is no command of ours is started in our place.
void become_program(char** argv) {
  if (fs::exists("/etc/nix-seed/seed.json")) {
    ::execvp(argv[1], argv + 1);
  }
}

int run_command(const Command& command, const std::vector<std::string>& arguments) {
  os::install_interrupt_handlers();
  os::SystemClock clock;
  TerminalProgress progress;
  os::SystemRunner runner;
  const os::Environment environment = os::current_environment();
  const auto transport = http::curl_transport(
      {.user_agent = "nix-seed/" NIX_SEED_VERSION, .check = os::check_interrupt});
  const auto retrying = http::with_retries(*transport, {}, clock);
  const World world{.environment = environment,
                    .directory = fs::current_path(),
                    .self = fs::read_symlink("/proc/self/exe"),
                    .clock = clock,
                    .progress = progress,
                    .runner = runner,
                    .transport = *retrying};
  return command.run(world, Options::parse(command.name, command.options, arguments, environment));
}

int dispatch(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + std::min(argc, 2), argv + argc);
  const std::string name = argc > 1 ? argv[1] : "--help";
  if (name == "--help" || name == "-h" || name == "help") {
    put(stdout, overview());
    return 0;
  }
  if (name == "--version") {
    put(stdout, fmt::format("nix-seed {}\n", NIX_SEED_VERSION));
    return 0;
  }
  if (name == "enter") {
    const image::EnterRequest request = image::parse_enter(arguments);
    os::install_interrupt_handlers();
    return os::run_in_view(request.view, request.argv, request.environment);
  }
  const Command* command = find_command(name);
  if (command == nullptr) {
    become_program(argv);
    unknown_command(name);
  }
  if (std::ranges::find(arguments, "--help") != arguments.end()) {
    put(stdout, help_of(*command));
    return 0;
  }
  return run_command(*command, arguments);
}

}  // namespace

int run(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const Error& error) {
    put(stderr, fmt::format("error: {}\n", error.message()));
    if (!error.hint().empty()) {
      put(stderr, fmt::format("hint: {}\n", error.hint()));
    }
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    put(stderr, fmt::format("error: {}\n", error.what()));
    return static_cast<int>(ExitCode::failed);
  }
}

}  // namespace seed::app
