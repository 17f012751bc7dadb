#include <algorithm>
#include <cstdio>
#include <filesystem>

#include <malloc.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <fmt/core.h>

#include "app/ci_run.hpp"
#include "app/help.hpp"
#include "app/telemetry.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "image/self_check.hpp"
#include "os/clock.hpp"
#include "os/interrupt.hpp"
#include "os/sudo.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

void put(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
}

[[noreturn]] void unknown_command(const std::string& name) {
  std::vector<std::string_view> names;
  for (const Command* command : commands()) {
    names.push_back(command->name);
  }
  const auto meant = nearest(name, names);
  throw UsageError(
      fmt::format("there is no command '{}'", printable(name)),
      meant ? fmt::format("did you mean '{}'?", *meant) : "'nix-seed --help' lists the commands");
}

/// As a container's entrypoint we are given whatever the runner wants to run: a program of the
/// image that is no command of ours is started in our place.
void become_program(char** argv) {
  if (fs::exists("/etc/nix-seed")) {
    ::execvp(argv[1], argv + 1);
  }
}

fs::path working_directory() {
  std::error_code code;
  fs::path directory = fs::current_path(code);
  if (code) {
    throw UsageError(fmt::format("the working directory can't be read: {}", code.message()),
                     "change to a folder that exists");
  }
  return directory;
}

/// Where /proc is not mounted, as in an empty root, by the name that the kernel was given.
fs::path this_program() {
  std::error_code code;
  const fs::path program = fs::read_symlink("/proc/self/exe", code);
  const auto* given = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  return code && given != nullptr ? fs::absolute(given) : program;
}

/// NIX_SEED_FLAKE stands for the arguments of commands that take a flake.
constexpr std::string_view kFlakeArguments = "[FLAKE[#ATTR]...]";

int run_with(CiRun& ci,
             Journal& journal,
             const Command& command,
             const std::vector<std::string>& arguments,
             const os::Environment& environment) {
  Options options = Options::parse(command.name, command.options, arguments, environment);
  if (command.arguments == kFlakeArguments) {
    options.or_positional(os::get(environment, "NIX_SEED_FLAKE").value_or(""));
  }
  if (command.arguments.empty() && !options.positional().empty()) {
    throw UsageError(fmt::format("{}: '{}' is no option, and nothing else is expected",
                                 command.name,
                                 printable(options.positional().front())),
                     fmt::format("'nix-seed {} --help' lists its options", command.name));
  }
  if (command.reports) {
    ci.start(command.name, options.get("summary").value_or(""));
    journal.json = options.flag("json");
  }
  os::install_interrupt_handlers();
  os::SystemClock clock;
  TerminalProgress progress(ci.console());
  os::SystemRunner runner;
  const auto transport = http::curl_transport(
      {.user_agent = "nix-seed/" NIX_SEED_VERSION, .check = os::check_interrupt});
  const auto retrying = http::with_retries(*transport, {}, clock);
  const World world{.environment = environment,
                    .directory = working_directory(),
                    .self = this_program(),
                    .clock = clock,
                    .progress = progress,
                    .runner = runner,
                    .transport = *retrying,
                    .journal = journal,
                    .ci = &ci};
  return command.run(world, options);
}

int run_command(const Command& command, const std::vector<std::string>& arguments) {
  const os::Environment environment = os::current_environment();
  os::SystemRunner runner;
  CiRun ci(environment, runner, working_directory());
  Journal journal{.command = std::string(command.name)};
  std::optional<Telemetry> telemetry;
  if (command.reports) {
    telemetry.emplace(environment, ci);
  }
  const auto end = [&](const Error* error) {
    if (telemetry) {
      telemetry->send(journal, error);
    }
  };
  const auto fail = [&](const Error& error) {
    const report::Failure failure = ci.fail(error, failure_of(journal));
    if (journal.json) {
      ci.console().result(report::to_json(failure) + "\n");
    }
    end(&error);
    return static_cast<int>(error.code());
  };
  try {
    const int code = run_with(ci, journal, command, arguments, environment);
    end(nullptr);
    return code;
  } catch (const Error& error) {
    return fail(error);
  } catch (const std::exception& error) {
    return fail(Error(error.what()));
  }
}

bool asks_for_help(const std::vector<std::string>& arguments) {
  return std::ranges::any_of(
      arguments, [](const std::string& word) { return word == "--help" || word == "-h"; });
}

int dispatch(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + std::min(argc, 2), argv + argc);
  const std::string name = argc > 1 ? argv[1] : "--help";
  if (name == "--help" || name == "-h" || name == "help") {
    const Command* about = arguments.empty() ? nullptr : find_command(arguments.front());
    put(stdout, about == nullptr ? overview() : help_of(*about));
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
  if (name == "lend") {
    return os::lend(arguments);
  }
  const Command* command = find_command(name);
  if (command == nullptr) {
    become_program(argv);
    unknown_command(name);
  }
  if (asks_for_help(arguments)) {
    put(stdout, help_of(*command));
    return 0;
  }
  return run_command(*command, arguments);
}

}  // namespace

int run(int argc, char** argv) {
  // Buffers of compressors go back to the system when they are freed. By itself glibc raises the
  // bound to the largest that was, and keeps such buffers for each thread: a half more memory.
  constexpr int kLargeBytes = 1 << 20;
  ::mallopt(M_MMAP_THRESHOLD, kLargeBytes);
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
