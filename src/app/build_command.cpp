#include <algorithm>
#include <array>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "app/attest.hpp"
#include "app/building.hpp"
#include "app/changed_inputs.hpp"
#include "app/commands.hpp"
#include "app/entering.hpp"
#include "app/gate.hpp"
#include "app/outputs.hpp"
#include "app/policy.hpp"
#include "app/publish_report.hpp"
#include "app/showing.hpp"
#include "app/trust_material.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "image/rootfs.hpp"
#include "nix/nar.hpp"
#include "nix/staleness.hpp"
#include "os/file.hpp"
#include "report/record.hpp"

namespace seed::app {
namespace {

namespace fs = std::filesystem;

constexpr std::array kOptions{
    OptionSpec{"registry", "REF", "repository for seeds: HOST/NAME or oci:PATH"},
    kImageOption,
    OptionSpec{"system", "SYSTEM", "Nix system of the seed; default: this machine's"},
    OptionSpec{"fallback", "HOW", "with no seed: seedless (default), or fail"},
    OptionSpec{"require-seed", "", "fail instead of building with a stale seed or with none"},
    kDeliveryOption,
    kCacheSizeOption,
    kVerifyOption,
    kSeedPolicyOption,
    OptionSpec{"out-link", "NAME", "name of the links to results; default: result"},
    OptionSpec{"no-link", "", "make no links to results"},
    OptionSpec{"insecure", "", "speak plain http to the registry"},
    OptionSpec{"summary", "FILE", "append a Markdown summary; default: the CI host's; false: none"},
    OptionSpec{"provenance", "FILE", "write the provenance statement here as well"},
    kSignOption,
    kSigningKeyOption,
    kSignerOption,
    kRekorOption,
    kTrustedRootOption,
    kSigningConfigOption,
    OptionSpec{"json", "", "print the result as JSON"},
};

/// Runs the build; Nix's words pass through as they come. Returns its JSON.
std::string build(const World& world, const Project& project, const Place& place) {
  constexpr std::size_t kTailBytes = 16 << 10;
  os::Runner& runner = place.runner ? *place.runner : world.runner;
  std::string out;
  std::string tail;
  nix::BuildLog log([&] { return world.journal.elapsed(); });
  const auto show = [&](const std::string& text) {
    world.progress.output(text);
    tail += text;
    tail.erase(0, tail.size() - std::min(tail.size(), kTailBytes));
  };
  const os::Exit exit = runner.run(
      nix_build(project, place, {"--json", "--log-format", "internal-json"}),
      [&](ByteView chunk) { out += text_of(chunk); },
      [&](ByteView chunk) { show(log.take(text_of(chunk))); });
  show(log.finish());
  world.journal.builds = log.activities();
  if (!exit.ok()) {
    refuse_missing_attribute(project, tail);
    throw build_error(world.journal, exit.code);
  }
  return out;
}

struct Built {
  std::vector<report::BuildResult> results;
  std::vector<Digest> nar_hashes;
};

Built built_by(const std::string& json_text, const Project& project, const Place& place) {
  const nlohmann::json list = nlohmann::json::parse(json_text, nullptr, false);
  if (!list.is_array()) {
    throw Error("nix build --json printed no list: " + printable(json_text));
  }
  const std::vector<std::string> names = installables(project);
  Built outputs;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const nlohmann::json built = list[i].value("outputs", nlohmann::json::object());
    for (const auto& [output, path] : built.items()) {
      const nix::StorePath store_path = nix::StorePath::parse(path.get<std::string>());
      const fs::path location = locate_to_stay(place, store_path);
      nix::NarHasher nar;
      nix::visit_tree(location, nar);
      const nix::NarHasher::Result hashed = nar.finish();
      outputs.results.push_back({.attribute = i < names.size()
                                                  ? names[i].substr(names[i].find('#') + 1)
                                                  : std::string(store_path.name()),
                                 .output = output,
                                 .store_path = store_path.to_string(),
                                 .location = location.string(),
                                 .nar_size = hashed.size_bytes});
      outputs.nar_hashes.push_back(hashed.hash);
    }
  }
  return outputs;
}

/// result, result-dev, result-1 ...: the names that nix build itself gives.
void make_links(const World& world,
                const Options& options,
                std::vector<report::BuildResult>& results) {
  if (options.flag("no-link")) {
    return;
  }
  const std::string base = options.get("out-link").value_or("result");
  std::size_t number = 0;
  std::string attribute = results.empty() ? "" : results.front().attribute;
  for (report::BuildResult& result : results) {
    number += result.attribute != attribute ? 1 : 0;
    attribute = result.attribute;
    std::string name = number == 0 ? base : fmt::format("{}-{}", base, number);
    name += result.output == "out" ? "" : "-" + result.output;
    const fs::path link = world.directory / name;
    std::error_code code;
    if (fs::is_symlink(fs::symlink_status(link, code))) {
      fs::remove(link, code);
    }
    fs::create_symlink(result.location, link, code);
    if (code) {
      world.progress.notice(fmt::format("no link at {}: {}", link.string(), code.message()));
    } else {
      result.link = link.string();
    }
  }
}

std::string missing_text(const std::vector<nix::StorePath>& missing) {
  std::string text;
  for (const nix::StorePath& path : missing) {
    text += "\n  " + path.to_string();
  }
  return text;
}

/// The machine's own Nix, told to build for the system asked for.
Place machine_place(const World& world, const std::string& system) {
  if (!os::find_program(world.environment, "nix")) {
    throw Error("no seed serves this build, and there is no Nix on this machine",
                "make the seed with 'nix-seed seed', or install Nix");
  }
  Place place{.stores = {fs::path(nix::kStoreDir)}};
  if (system != machine_system()) {
    place.options = {"--option", "system", system};
  }
  return place;
}

/// Says why the build is not in a seed, with the entry of the catalogue that explains it.
void say_why(const World& world, const Policy& policy, const report::BuildRecord& record) {
  if (facts_of(world).kind == ci::HostKind::none) {
    world.progress.notice(record.reason);
  } else if (record.mode == report::BuildMode::stale) {
    tell(world, ci::Level::warning, record.reason + " (NS009)");
  } else if (!policy.untrusted.empty()) {
    tell(world, ci::Level::notice, record.reason + " (NS004): a run of a trusted branch makes one");
  } else {
    tell(world,
         ci::Level::warning,
         record.reason +
             " (NS007): if this job's container was to be the seed, the seed job's "
             "output image was empty or withheld; its log says why");
  }
}

/// Decides where to build, from what the seed can do for this checkout. Fills the record's mode,
/// reason, missing and built.
Place decide(const World& world,
             const Options& options,
             const Policy& policy,
             const Project& project,
             const SeedChoice& choice,
             Place in_seed,
             report::BuildRecord& record) {
  record.mode = report::BuildMode::seedless;
  record.reason = choice.reason;
  if (choice.seed || inside_seed()) {
    const Forecast expected = forecast(world, project, in_seed);
    refuse_missing_attribute(project, expected.failure);
    for (const nix::StorePath& drv : expected.staleness.own) {
      record.built.push_back(drv.to_string());
    }
    if (expected.failure.empty() && !expected.staleness.stale()) {
      record.mode = report::BuildMode::in_seed;
      record.reason.clear();
      return in_seed;
    }
    record.mode = report::BuildMode::stale;
    if (choice.seed) {
      record.changed =
          changed_inputs(*choice.open.repository, choice.seed->manifest.digest, project.lock);
    }
    for (const nix::StorePath& path : expected.staleness.missing) {
      record.missing.push_back(path.to_string());
    }
    record.reason =
        expected.failure.empty()
            ? fmt::format("the seed is stale: it lacks {} paths that this checkout needs:{}",
                          expected.staleness.missing.size(),
                          missing_text(expected.staleness.missing))
            : fmt::format("the flake does not evaluate offline inside the seed:\n{}",
                          expected.failure);
  }
  const bool wanted = options.flag("require-seed") || (policy.fallback == Fallback::fail &&
                                                       record.mode == report::BuildMode::seedless);
  if (wanted && choice.unreachable) {
    throw NetworkError(*choice.unreachable);
  }
  if (wanted) {
    throw Error(record.reason, choice.hint);
  }
  say_why(world, policy, record);
  return machine_place(world, record.system);
}

int run_build(const World& world, const Options& options) {
  const Time started = world.clock.now();
  const Policy policy = policy_of(options, facts_of(world), Fallback::seedless);
  Stopwatch stopwatch(world.journal, groups_of(world));
  const Project project = find_project(world, options.positional());
  const std::string system = options.get("system").value_or(machine_system());
  image::architecture_of(system);
  usable_cache(world.environment);
  check_provenance_file(world, options);
  check_delivery(options);
  const Signing signing = prepare_signing(world, options, policy.untrusted);
  const Gate gate = gate_of(world, options, project);
  report::BuildRecord record{.system = system, .flake = project.flake};
  world.journal.flake = project.flake;
  world.journal.system = system;
  SeedChoice choice;
  Place place;
  std::optional<os::FileLock> lock;

  stopwatch.start("find and enter the seed");
  place = enter_seed(world, options, gate, project, system, {}, choice, lock);
  record.image = choice.image;
  record.verified = choice.verified;
  stopwatch.start("evaluate");
  place = decide(world, options, policy, project, choice, std::move(place), record);
  expect_outputs(world, outputs_of(record));

  stopwatch.start("build");
  world.journal.image = record.image;
  world.journal.nix_log = !place.runner;
  Built outputs = built_by(build(world, project, place), project, place);
  record.results = std::move(outputs.results);
  make_links(world, options, record.results);

  stopwatch.start("attest");
  nix::Nix nix(place.runner ? *place.runner : world.runner, world.progress, "nix");
  record.provenance =
      attest_build(world,
                   options,
                   project,
                   {.record = record,
                    .nix_version = nix.version().text,
                    .nix_settings = nix.settings(),
                    .nar_hashes = outputs.nar_hashes,
                    .seed = choice.seed ? std::optional(choice.seed->manifest) : std::nullopt,
                    .started = started},
                   signing,
                   policy.may_push() ? choice.open.repository.get() : nullptr)
          .file;
  stopwatch.stop();
  say_what_came(world, place.mounted.get());
  complete(record, world.journal);
  record.run = context_of(world, source_of(project));
  world.progress.output(report::to_text(record));
  publish(world,
          {.outputs = outputs_of(record),
           .summary = report::to_markdown(record),
           .checks = checks_of(report::test_cases(record))});
  std::string text;
  for (const report::BuildResult& result : record.results) {
    text += result.store_path + "\n";
  }
  if (options.flag("json")) {
    text = report::to_json(record) + "\n";
  }
  print_result(world, text);
  return 0;
}

}  // namespace

const Command kBuildCommand{
    "build",
    "[FLAKE[#ATTR]...]",
    "build the flake's outputs inside its seed, offline",
    "Finds the seed of flake.lock, enters it and builds with no network; only the flake's own\n"
    "derivations are built. With no usable seed it builds with this machine's Nix and says why.\n"
    "Inside a seed's container it builds right there. Prints the store paths of the results.",
    kOptions,
    run_build,
    "nix-seed build .#default",
    true};

}  // namespace seed::app
