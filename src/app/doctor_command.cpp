#include <array>
#include <cstdio>

#include <sys/statvfs.h>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "app/ci_run.hpp"
#include "app/commands.hpp"
#include "app/entering.hpp"
#include "app/project.hpp"
#include "app/signing.hpp"
#include "app/usable_sudo.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "image/checklist.hpp"
#include "image/mount.hpp"
#include "image/self_check.hpp"
#include "nix/nix.hpp"
#include "os/file.hpp"
#include "os/parallel.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;
using image::Check;
using image::CheckStatus;

constexpr std::array kOptions{
    OptionSpec{"image", "REF", "check that CI jobs can run in this image, not this machine"},
    OptionSpec{"registry", "REF", "repository for seeds: HOST/NAME or oci:PATH"},
    OptionSpec{"system", "SYSTEM", "Nix system; default: this machine's"},
    OptionSpec{"insecure", "", "speak plain http to the registry"},
    OptionSpec{"json", "", "print the result as JSON"},
};

/// Below the first a seed of any size fills the disk, below the second a large one does.
constexpr std::uint64_t kLeastFreeBytes = std::uint64_t{1} << 30;
constexpr std::uint64_t kWantedFreeBytes = std::uint64_t{10} << 30;

Check failed(std::string name, const Error& error, std::string_view otherwise) {
  return {std::move(name),
          CheckStatus::failed,
          error.message(),
          error.hint().empty() ? std::string(otherwise) : error.hint()};
}

Check check_nix(const World& world) {
  if (!os::find_program(world.environment, "nix")) {
    return {"nix",
            CheckStatus::failed,
            "there is no nix in PATH: no first seed can be made, and nothing built without a seed",
            "install Nix, or run in the runtime image of nix-seed"};
  }
  try {
    nix::Nix nix(world.runner, world.progress, "nix");
    return {"nix", CheckStatus::passed, nix.version().text, {}};
  } catch (const Error& error) {
    return failed("nix", error, "install Nix 2.8 or later");
  }
}

/// Enters a small root as `build` enters a seed's, with all that this takes: namespaces, an overlay
/// in the cache, a terminal for builders.
Check check_entering(const World& world, const os::Sudo* sudo, const fs::path& scratch) {
  if (inside_seed()) {
    return {"enter", CheckStatus::passed, "not needed: this is a seed's container", {}};
  }
  std::optional<os::Invoker> invoker;
  std::string fix =
      "run as root, or allow unprivileged user namespaces; in a container, use a seed as its image";
  try {
    invoker = os::who_needs_sudo(sudo);
  } catch (const Error& error) {
    return failed("enter", error, fix);
  }
  os::make_dirs(scratch / "root");
  os::RootView view{.lower = scratch / "root",
                    .upper = scratch / "upper",
                    .binds = {{world.self, "/nix-seed", false}},
                    .invoker = invoker};
  for (const char* folder : {"/usr", "/lib", "/lib64", "/nix"}) {  // of a program with libraries
    if (fs::is_directory(folder)) {
      view.binds.push_back({folder, folder, false});
    }
  }
  image::ViewRunner inside(world.runner, world.self, view, {});
  const os::Captured tried =
      os::capture(inside, os::Command{.argv = {"/nix-seed", "--version"}}, 1 << 20);
  if (tried.exit.ok()) {
    return {"enter",
            CheckStatus::passed,
            invoker ? "namespaces and overlays work by sudo" : "namespaces and overlays work",
            {}};
  }
  std::string why;
  for (const std::string_view line : split(tried.err, '\n')) {
    if (line.starts_with("error: ")) {
      why = line.substr(7);
    } else if (line.starts_with("hint: ")) {
      fix = line.substr(6);
    }
  }
  return {"enter", CheckStatus::failed, "a seed can't be entered: " + printable(why, 500), fix};
}

/// Whether a seed is mounted here, or takes the slower way.
Check check_mounting(const os::Sudo* sudo, const fs::path& cache) {
  const image::MountSupport support = image::mount_support(cache, sudo);
  if (!support.backing) {
    return {"mount",
            CheckStatus::advised,
            "seeds are unpacked here, not mounted: " + printable(support.why_not, 500),
            "run as root on Linux 6.12 or later, with NIX_SEED_CACHE on a local disk"};
  }
  return {"mount",
          CheckStatus::passed,
          fmt::format("seeds are mounted{}{}",
                      sudo != nullptr ? " by sudo" : "",
                      *support.backing == os::Backing::loop ? " through loop devices" : ""),
          {}};
}

Check check_space(const fs::path& cache) {
  struct statvfs info{};
  if (::statvfs(cache.c_str(), &info) != 0) {
    os::throw_errno("asking for the free space of", cache);
  }
  const std::uint64_t free = std::uint64_t{info.f_bavail} * info.f_frsize;
  std::string found = fmt::format("{} has {} free", cache.string(), human_size(free));
  constexpr const char* kFix = "free some, or set NIX_SEED_CACHE to a folder of a larger disk";
  if (free < kLeastFreeBytes) {
    return {"cache", CheckStatus::failed, std::move(found), kFix};
  }
  if (free < kWantedFreeBytes) {
    return {"cache", CheckStatus::advised, found + ", which a large seed fills", kFix};
  }
  return {"cache", CheckStatus::passed, std::move(found), {}};
}

void check_cache(const World& world, const Options& options, std::vector<Check>& checks) {
  try {
    const std::optional<os::Sudo> sudo_of_user = usable_sudo(world, options);
    const os::Sudo* sudo = sudo_of_user ? &*sudo_of_user : nullptr;
    const fs::path cache = usable_cache(world.environment);
    checks.push_back(check_space(cache));
    const Workspace workspace(cache);
    checks.push_back(check_entering(world, sudo, workspace.path()));
    if (!inside_seed()) {
      checks.push_back(check_mounting(sudo, cache));
    }
  } catch (const Error& error) {
    checks.push_back(failed("cache", error, "set NIX_SEED_CACHE to a folder that can be written"));
  }
}

Check check_host(const ci::Facts& facts) {
  std::string found(ci::to_string(facts.kind));
  if (facts.kind == ci::HostKind::none) {
    found = "no CI host";
  } else if (!facts.untrusted.empty()) {
    found += "; this run only reads seeds: " + printable(facts.untrusted);
  }
  return {"host", CheckStatus::passed, std::move(found), {}};
}

constexpr const char* kCheckLogin =
    "check --registry, the network and the login ('docker login HOST')";

Check check_reading(oci::Repository& repository) {
  try {
    const bool has_seed = repository.head_manifest(std::string("latest")).has_value();
    return {"registry",
            CheckStatus::passed,
            fmt::format(
                "{} {}", repository.name(), has_seed ? "has a seed" : "can be read; no seed yet"),
            {}};
  } catch (const NetworkError& error) {
    return failed("registry", error, kCheckLogin);
  }
}

Check check_pushing(oci::Repository& repository) {
  try {
    repository.check_push();
    return {"push", CheckStatus::passed, "seeds can be pushed", {}};
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    Check check = failed("push", error, kCheckLogin);
    check.found += " (NS002)";
    return check;
  }
}

void check_registry(const World& world,
                    const Options& options,
                    const ci::Facts& facts,
                    std::vector<Check>& checks) {
  const std::string reference =
      options.get("registry")
          .value_or(default_registry(world.environment, world.directory.filename().string()));
  const OpenRepository open = open_repository(world, options, reference);
  checks.push_back(check_reading(*open.repository));
  if (facts.untrusted.empty()) {
    checks.push_back(check_pushing(*open.repository));
  }
}

/// Nobody has to sign, so that what is missing is advice.
Check check_signing(const World& world, const ci::Facts& facts) {
  try {
    const Signing signing = prepare_signing(world, Options(), facts.untrusted);
    if (!signing.able()) {
      return {
          "sign", CheckStatus::advised, "nothing is signed: " + signing.why_not, signing.remedy};
    }
    return {"sign", CheckStatus::passed, "signed " + who_signs(world, signing), {}};
  } catch (const Interrupted&) {
    throw;
  } catch (const Error& error) {
    return {"sign", CheckStatus::advised, error.message(), error.hint()};
  }
}

std::string to_json(const std::string& subject, const std::vector<Check>& checks) {
  constexpr std::array kNames{"passed", "advised", "failed"};
  nlohmann::json list = nlohmann::json::array();
  for (const Check& check : checks) {
    list.push_back({{"name", check.name},
                    {"status", kNames.at(static_cast<std::size_t>(check.status))},
                    {"found", check.found},
                    {"fix", check.fix}});
  }
  const nlohmann::json result{
      {"subject", subject}, {"ok", image::all_passed(checks)}, {"checks", list}};
  return result.dump(2) + "\n";
}

std::string to_text(const std::string& subject,
                    const std::vector<Check>& checks,
                    std::string_view code) {
  constexpr std::array kMarks{"ok", "note", "FAIL"};
  std::string text = subject + "\n";
  for (const Check& check : checks) {
    text += fmt::format("  {:<4}  {:<14} {}{}\n",
                        kMarks.at(static_cast<std::size_t>(check.status)),
                        check.name,
                        check.found,
                        check.status == CheckStatus::failed ? code : "");
    if (!check.fix.empty()) {
      text += fmt::format("        {:<14} fix: {}\n", "", check.fix);
    }
  }
  return text;
}

int finish(const Options& options,
           const std::string& subject,
           const std::vector<Check>& checks,
           std::string_view code) {
  const std::string text =
      options.flag("json") ? to_json(subject, checks) : to_text(subject, checks, code);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return static_cast<int>(image::all_passed(checks) ? ExitCode::done : ExitCode::failed);
}

int check_image(const World& world, const Options& options, const std::string& named) {
  const OpenRepository open = open_repository(world, options, named);
  const std::string system = options.get("system").value_or(machine_system());
  const oci::Target target = open.reference.digest()
                                 ? oci::Target(*open.reference.digest())
                                 : oci::Target(open.reference.tag().value_or("latest"));
  world.progress.step(fmt::format("reading {} for {}", open.reference.to_string(), system));
  const image::JobImage image = while_doing("reading " + open.reference.to_string(), [&] {
    return image::read_job_image(*open.repository, target, system, os::default_workers());
  });
  return finish(
      options,
      fmt::format(
          "{}@{} for {}", open.repository->name(), image.manifest.digest.to_string(), system),
      image::check_job_image(image),
      " (NS008)");
}

int run_doctor(const World& world, const Options& options) {
  if (const auto named = options.get("image")) {
    return check_image(world, options, *named);
  }
  const ci::Facts& facts = world.ci != nullptr ? world.ci->facts() : ci::no_host().facts();
  std::vector<Check> checks{check_host(facts), check_nix(world)};
  check_cache(world, options, checks);
  check_registry(world, options, facts, checks);
  checks.push_back(check_signing(world, facts));
  return finish(options, "this machine, " + machine_system(), checks, "");
}

}  // namespace

const Command kDoctorCommand{
    "doctor",
    "",
    "check that this machine, or an image, can do the job",
    "Checks Nix, the cache, what entering a seed takes, whether the registry can be read and "
    "pushed to\n"
    "with this login, and who would sign. With --image: whether jobs of GitHub's, Forgejo's and\n"
    "GitLab's runners can run in that image, from its config and layers alone. Each failure comes "
    "with\n"
    "its fix; the exit code is 0 where nothing that is needed failed.",
    kOptions,
    run_doctor,
    "nix-seed doctor --image ghcr.io/acme/app-seed:latest"};

}  // namespace seed::app
