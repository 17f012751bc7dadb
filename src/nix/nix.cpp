#include "nix/nix.hpp"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "base/error.hpp"
#include "base/text.hpp"

namespace seed::nix {
namespace {

constexpr std::uint64_t kMaxOutputBytes = 256 << 20;
constexpr std::size_t kErrorTailBytes = 64 << 10;
/// Far below the kernel's bound for arguments and environment together (2 MiB as a rule).
constexpr std::size_t kBatchBytes = 128 << 10;
constexpr std::string_view kNoAttribute = "does not provide attribute";

constexpr std::array<std::string_view, 8> kReportedSettings{"substituters",
                                                            "trusted-substituters",
                                                            "trusted-public-keys",
                                                            "require-sigs",
                                                            "sandbox",
                                                            "system",
                                                            "extra-platforms",
                                                            "allow-import-from-derivation"};

/// Nix's messages and what helps; the first that is found in its stderr.
struct Advice {
  std::string_view sign;
  const char* hint;
};

constexpr std::array kAdvice{
    Advice{"flake.nix': No such file",
           "name a flake that has a flake.nix; in a git checkout, a new one needs 'git add'"},
    Advice{"flake.nix' does not exist",
           "name a flake that has a flake.nix; in a git checkout, a new one needs 'git add'"},
    Advice{"could not find a flake.nix", "run this inside a flake, or name one"},
    Advice{"does not contain a 'flake.nix'",
           "name a flake that has a flake.nix; in a git checkout, a new one needs 'git add'"},
    Advice{kNoAttribute, "'nix flake show' lists what the flake has"},
    Advice{"requires lock file changes", "run 'nix flake lock' and commit flake.lock"},
    Advice{"unlocked", "commit the changes: a dirty tree cannot be locked"},
    Advice{"is dirty", "commit or stash the changes of the checkout"},
    Advice{"dubious ownership", "run as the owner of the checkout"},
    Advice{"not owned by current user", "run as the owner of the checkout"},
    Advice{"cannot connect to", "start the Nix daemon, or run as the owner of /nix"},
    Advice{"build-users-group", "set 'build-users-group =' in nix.conf, or make the group"},
    Advice{"Permission denied", "run as the owner of /nix, or use the Nix daemon"},
    Advice{"unable to download", "check the network and the substituters"},
    Advice{"No space left on device", "free some space for /nix and for TMPDIR"},
    Advice{"builder for", "'nix log' with the derivation's path shows the whole log"},
    Advice{"Cannot build", "'nix log' with the derivation's path shows the whole log"},
};

struct Ran {
  os::Exit exit;
  std::string out;
  std::string err;  ///< its end
};

/// `progress`: sees stderr as it comes; may be absent. `log`: reads it first, where it is JSON.
Ran execute(os::Runner& runner,
            Progress* progress,
            const os::Command& command,
            BuildLog* log = nullptr) {
  Ran ran;
  const auto show = [&](std::string_view text) {
    if (progress != nullptr) {
      progress->output(text);
    }
    ran.err += text;
    if (ran.err.size() > 2 * kErrorTailBytes) {
      ran.err.erase(0, ran.err.size() - kErrorTailBytes);
    }
  };
  ran.exit = runner.run(
      command,
      [&](ByteView chunk) {
        if (ran.out.size() + chunk.size() > kMaxOutputBytes) {
          throw Error(fmt::format("it printed more than {}", human_size(kMaxOutputBytes)));
        }
        ran.out += text_of(chunk);
      },
      [&](ByteView chunk) {
        if (log == nullptr) {
          show(text_of(chunk));
        } else {
          show(log->take(text_of(chunk)));
        }
      });
  if (log != nullptr) {
    show(log->finish());
  }
  return ran;
}

/// What Nix said after "error:", outermost first; newer versions print a trace whose first line is
/// an empty "error:".
std::vector<std::string_view> errors_of(const Ran& ran) {
  constexpr std::string_view kPrefix = "error:";
  std::vector<std::string_view> errors;
  for (const std::string_view raw : split(ran.err, '\n')) {
    const std::string_view line = trim(raw);
    if (line.starts_with(kPrefix) && line.size() > kPrefix.size()) {
      errors.push_back(trim(line.substr(kPrefix.size())));
    }
  }
  return errors;
}

[[noreturn]] void fail(const os::Command& command, const Ran& ran) {
  const auto errors = errors_of(ran);
  for (const Advice& advice : kAdvice) {
    for (const std::string_view error : errors) {
      if (error.find(advice.sign) != std::string_view::npos) {
        throw Error(printable(errors.back(), 500), advice.hint);
      }
    }
  }
  throw Error(errors.empty() ? fmt::format("it ended with status {}", ran.exit.code)
                             : printable(errors.back(), 500),
              "run it yourself: " + os::to_shell(command.argv));
}

bool lacks_attribute(const Ran& ran) {
  for (const std::string_view line : split(ran.err, '\n')) {
    if (line.starts_with("error: flake '") && line.find(kNoAttribute) != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

/// Calls `use` with as many of `arguments` at a time as fit one command line.
template <class Use>
void in_batches(const std::vector<std::string>& arguments, Use&& use) {
  std::vector<std::string> batch;
  std::size_t size_bytes = 0;
  for (const std::string& argument : arguments) {
    if (!batch.empty() && size_bytes + argument.size() > kBatchBytes) {
      use(std::exchange(batch, {}));
      size_bytes = 0;
    }
    batch.push_back(argument);
    size_bytes += argument.size() + 1;
  }
  if (!batch.empty()) {
    use(batch);
  }
}

std::vector<std::string> concat(std::vector<std::string> first,
                                const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

Nix::Nix(os::Runner& runner,
         Progress& progress,
         std::filesystem::path program,
         os::Environment environment)
    : runner_(runner),
      progress_(progress),
      program_(std::move(program)),
      environment_(std::move(environment)) {}

os::Command Nix::command(std::vector<std::string> arguments) const {
  std::vector<std::string> argv{
      program_.string(), "--extra-experimental-features", "nix-command flakes"};
  argv = concat(concat(std::move(argv), options_), arguments);
  return {
      .argv = std::move(argv), .extra = environment_, .unset = {}, .directory = {}, .input = {}};
}

Nix Nix::with_option(const std::string& name, const std::string& value) const {
  Nix other = *this;
  other.options_ = concat(other.options_, {"--option", name, value});
  return other;
}

Nix Nix::with_runner(os::Runner& runner) const {
  Nix other(runner, progress_, program_, environment_);
  other.options_ = options_;
  return other;
}

os::Command Nix::store_command(std::vector<std::string> arguments) const {
  return {.argv = concat({(program_.parent_path() / "nix-store").string()}, arguments),
          .extra = environment_,
          .unset = {},
          .directory = {},
          .input = {}};
}

std::string Nix::run(const os::Command& command, std::string_view doing, BuildLog* log) {
  return while_doing(doing, [&] {
    Ran ran = execute(runner_, &progress_, command, log);
    if (!ran.exit.ok()) {
      fail(command, ran);
    }
    return std::move(ran.out);
  });
}

const NixVersion& Nix::version() {
  if (!version_) {
    constexpr std::string_view kDoing = "asking Nix for its version";
    const std::string line = run(command({"--version"}), kDoing);
    version_ = while_doing(kDoing, [&] { return parse_nix_version(line); });
  }
  return *version_;
}

FlakeMetadata Nix::flake_metadata(const std::string& flake) {
  const std::string doing = "reading the metadata of flake " + flake;
  // A question changes nothing: flake.lock stays as it is.
  const std::string out =
      run(command({"flake", "metadata", "--json", "--no-write-lock-file", flake}), doing);
  return while_doing(doing, [&] { return parse_flake_metadata(out); });
}

std::vector<StorePath> Nix::flake_archive(
    const std::string& flake,
    const std::vector<std::string>& excluded,
    const std::map<std::string, std::filesystem::path>& instead) {
  const std::string doing = "fetching the inputs of flake " + flake;
  std::vector<std::string> arguments{"flake", "archive", "--json", "--no-write-lock-file"};
  for (const auto& [input, folder] : instead) {
    arguments.insert(arguments.end(), {"--override-input", input, "path:" + folder.string()});
  }
  arguments.push_back(flake);
  const std::string out = run(command(arguments), doing);
  return while_doing(doing, [&] { return parse_flake_archive(out, excluded); });
}

std::map<std::string, std::string> Nix::settings() {
  // `nix config show` since 2.20; the older name is an alias there and may go.
  Ran ran = execute(runner_, nullptr, command({"show-config"}));
  if (!ran.exit.ok()) {
    ran = execute(runner_, nullptr, command({"config", "show"}));
  }
  if (!ran.exit.ok()) {
    fail(command({"config", "show"}), ran);
  }
  std::map<std::string, std::string> settings;
  for (const std::string_view line : split(ran.out, '\n')) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) {
      continue;
    }
    const std::string_view name = trim(line.substr(0, equals));
    if (std::ranges::find(kReportedSettings, name) != kReportedSettings.end()) {
      settings[std::string(name)] = trim(line.substr(equals + 1));
    }
  }
  return settings;
}

std::optional<std::string> Nix::eval_json(const std::string& installable,
                                          const std::string& apply,
                                          const std::vector<std::string>& options) {
  std::vector<std::string> arguments{"eval", "--json", "--no-write-lock-file", installable};
  arguments = concat(std::move(arguments), options);
  if (!apply.empty()) {
    arguments = concat(std::move(arguments), {"--apply", apply});
  }
  const os::Command eval = command(std::move(arguments));
  return while_doing("evaluating " + installable, [&]() -> std::optional<std::string> {
    const Ran ran = execute(runner_, nullptr, eval);
    if (ran.exit.ok()) {
      return std::string(trim(ran.out));
    }
    if (lacks_attribute(ran)) {
      return std::nullopt;
    }
    fail(eval, ran);
  });
}

void Nix::realise(const std::map<StorePath, std::set<std::string>>& wanted, BuildLog& log) {
  std::vector<std::string> arguments;
  for (const auto& [derivation, outputs] : wanted) {
    // `drv!out,dev` is the one spelling that nix-store takes in every version.
    std::string argument = derivation.to_string();
    char separator = '!';
    for (const std::string& output : outputs) {
      argument += std::exchange(separator, ',') + output;
    }
    arguments.push_back(std::move(argument));
  }
  in_batches(arguments, [&](const std::vector<std::string>& batch) {
    // What is built becomes part of a seed at once; that it has no root of the collector is meant.
    run(store_command(
            concat({"--realise", "--no-gc-warning", "--log-format", "internal-json"}, batch)),
        "building what the flake needs",
        &log);
  });
}

StorePath Nix::add_path(const std::filesystem::path& path, const std::string& name) {
  // `nix store add` is newer than 2.8; add-path takes files as well, and a name, in all.
  const std::string doing = fmt::format("adding {} to the store", path.string());
  const std::string out = run(command({"store", "add-path", "--name", name, path.string()}), doing);
  return while_doing(doing, [&] { return StorePath::parse(trim(out)); });
}

Closure Nix::closure(std::span<const StorePath> roots) {
  constexpr std::string_view kDoing = "asking Nix for the closure";
  std::vector<std::string> root_arguments;
  for (const StorePath& root : roots) {
    root_arguments.push_back(root.to_string());
  }
  std::set<std::string> paths;
  in_batches(root_arguments, [&](const std::vector<std::string>& batch) {
    const std::string out = run(store_command(concat({"--query", "--requisites"}, batch)), kDoing);
    for (const std::string_view line : split(out, '\n')) {
      if (!line.empty()) {
        paths.emplace(line);
      }
    }
  });
  std::vector<PathInfo> infos;
  in_batches({paths.begin(), paths.end()}, [&](const std::vector<std::string>& batch) {
    const std::string out = run(store_command(concat({"--dump-db"}, batch)), kDoing);
    auto some = while_doing(kDoing, [&] { return parse_registration(out); });
    std::move(some.begin(), some.end(), std::back_inserter(infos));
  });
  return while_doing(kDoing, [&] { return make_closure(std::move(infos)); });
}

}  // namespace seed::nix
